import Glibc
import MartletBroker

/// Processor time and memory of this process.
final class ProcessUsage: Sendable {
    private struct Sample {
        var processorSeconds: Double
        var wallSeconds: Double
        var percent: Double
    }

    private let last: Guarded<Sample>

    init() {
        last = Guarded(
            Sample(
                processorSeconds: Self.processorSeconds(), wallSeconds: Self.wallSeconds(),
                percent: 0))
    }

    /// Percent of one core, over at least the last second.
    var processorPercent: Double {
        last.withLock { last in
            let (processor, wall) = (Self.processorSeconds(), Self.wallSeconds())
            let elapsed = wall - last.wallSeconds
            guard elapsed >= 1 || last.percent == 0 && elapsed > 0.05 else { return last.percent }
            let percent = 100 * (processor - last.processorSeconds) / elapsed
            last = Sample(
                processorSeconds: processor, wallSeconds: wall,
                percent: (percent * 10).rounded() / 10)
            return last.percent
        }
    }

    /// Resident bytes.
    static var residentBytes: Int {
        guard let text = contents("/proc/self/statm") else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    private static func processorSeconds() -> Double { seconds(CLOCK_PROCESS_CPUTIME_ID) }
    private static func wallSeconds() -> Double { seconds(CLOCK_MONOTONIC) }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func contents(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(descriptor, &buffer, 256)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
