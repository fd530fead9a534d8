import Testing

@testable import MartletBroker

@Suite("How many cores there are to use")
struct CoreCountTests {
    @Test(
        "a quota is worth its part of the period, and one core at least",
        arguments: [
            ("max 100000\n", nil), ("150000 100000\n", 1), ("400000 100000\n", 4),
            ("50000 100000\n", 1), ("-1\n 100000\n", nil), ("250000\n 50000\n", 5), ("", nil),
            ("100000", nil), ("100000 0", nil), ("a b", nil),
        ] as [(String, Int?)])
    func quota(text: String, cores: Int?) {
        #expect(CoreCount.cores(ofQuota: text) == cores)
    }

    @Test("a group's quota and those of the groups around it count, of either version")
    func groups() {
        #expect(
            CoreCount.folders(ofGroups: "0::/a.slice/b.service\n") == [
                "/sys/fs/cgroup", "/sys/fs/cgroup/a.slice", "/sys/fs/cgroup/a.slice/b.service",
            ])
        #expect(
            CoreCount.folders(ofGroups: "7:memory:/m\n4:cpu,cpuacct:/c\n0::/\n") == [
                "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu/c", "/sys/fs/cgroup",
            ])
        #expect(CoreCount.folders(ofGroups: "3:cpuset:/x\nnonsense\n").isEmpty)
        #expect(CoreCount.folders(ofGroups: "0::/../../host\n") == ["/sys/fs/cgroup"])
    }

    @Test("there is one at least, and no more than the machine has")
    func usable() {
        #expect((1...CoreCount.allowed).contains(CoreCount.usable))
    }

    @Test(
        "a loop looks for events where there are four cores, and two for each loop",
        arguments: [
            (1, 1, false), (2, 1, false), (3, 1, false), (4, 1, true), (4, 2, true), (6, 4, false),
            (8, 4, true),
        ])
    func spinning(cores: Int, loops: Int, spins: Bool) {
        #expect((LoopSettings.spinNanoseconds(cores: cores, loops: loops) > 0) == spins)
    }
}
