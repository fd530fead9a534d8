/// `martlet { … }`: what nats-server does not know.
extension ConfigurationTable {
    static let martlet = ConfigurationBlock<BrokerConfiguration>(
        "martlet", "What nats-server does not know.",
        [
            Key(
                "loops", sets: \.loopCount, takes: .numberOrAuto(1...1024),
                reload: .refusedAs("martlet.loops"), flags: ["loops"],
                "Event loops: threads that carry messages. auto is 1 on fewer than 4 cores, else one for two cores, at most 8, of which as many work as the load needs."
            ),
            Key(
                "max_memory", sets: \.limits.memoryBytesMax, takes: .bytes(0...Int64.max, "a size"),
                default: "three quarters of the machine's",
                reload: .refusedAs("martlet.max_memory"),
                "Bytes that buffers, payloads, routes and subscriptions may take, 8 MB at least; subscriptions half of them at most."
            ),
            Key(
                "max_publish_rate", sets: \.limits.publishedMessagesPerSecondMax,
                takes: .number(0...Int64.max, "a number; 0 is without limit"),
                "Messages a second that one connection may publish."),
            Key(
                "max_publish_bytes", sets: \.limits.publishedBytesPerSecondMax,
                takes: .bytes(0...Int64.max, "a size; 0 is without limit"),
                "Payload bytes a second that one connection may publish."),
            Key(
                "spin", sets: \.tuning.spinNanoseconds,
                takes: .durationOrAuto(0...100_000_000, "0 to 100ms"),
                "How long a loop looks for events before it sleeps, while the last ones came in that time; auto is 20us on four cores and more, two for each loop, else 0s."
            ),
            Key(
                "coalesce", sets: \.tuning.coalesceNanoseconds,
                takes: .durationOrAuto(0...10_000_000, "0 to 10ms"),
                "How long output may wait for more; 0s writes as soon as it can, auto lets messages to many subscribers wait 200us at most while a loop is busy."
            ),
            Key(
                "slice", sets: \.tuning.sliceNanoseconds,
                takes: .duration(50_000...60_000_000_000, "50us to 60s"),
                "How long a loop works for one connection before the others have their turn."),
            Key(
                "stall_threshold", sets: \.tuning.stallThresholdNanoseconds,
                takes: .duration(10_000...60_000_000_000, "10us to 60s"),
                "A turn of a loop that takes longer is logged and counted as a stall."),
            Key(
                "turn_clock", sets: \.tuning.turnClock, takes: .choice,
                "What turns are measured by: the time that passes, or what the thread itself runs."),
            Key(
                "slow_consumers", takes: "a block",
                "What happens to subscribers that do not keep up."
            ) { (entry, root, reader) throws(ConfigurationComplaint) in
                // The default first, because it is also the policy of rules that name none.
                let entries = try entry.value.map(entry.name).entries(first: "default")
                reader.read(entries, slowConsumers, into: &root)
            },
        ])
}
