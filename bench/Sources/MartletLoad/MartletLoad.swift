import ArgumentParser

/// `martlet-load`: loads a server of messages, and says what came of it as JSON.
@main
struct MartletLoad: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-load",
        abstract:
            "Loads a server of messages from one thread and measures from when each message was due.",
        subcommands: [
            Request.self, PublishSubscribe.self, FanOut.self, AllToAll.self, FullRate.self,
            ManySubscriptions.self, Mixed.self, Orders.self,
        ])
}
