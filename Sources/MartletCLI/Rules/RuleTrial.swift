import Glibc
import MartletBroker
import MartletRules

/// A message that no server sees, to try rules with.
struct RuleTrial {
    let subject: String
    let headers: InProcessHeaders
    let payload: [UInt8]
    /// Where its sender wants the answer.
    let reply: String?
    let account: String?

    func run(_ rules: RuleSet) throws(CommandFailure) -> RuleTrialResult {
        let header: [UInt8]
        do throws(BrokerError) { header = try headers.encoded() } catch {
            throw CommandFailure(error)
        }
        let output = RuleOutput(limits: rules.limits)
        defer { output.destroy() }
        let verdict = unsafe Self.withBytes(Array(subject.utf8)) { subject, subjectCount in
            unsafe Self.withBytes(header) { header, headerCount in
                unsafe Self.withBytes(payload) { payload, payloadCount in
                    let first = unsafe rules.firstRule(
                        subject: subject, count: subjectCount, account: account)
                    guard first >= 0 else { return RuleVerdict(.pass) }
                    var scratch = RuleScratch(limits: rules.limits)
                    let message = unsafe RuleMessage(
                        subject: subject, subjectCount: subjectCount, header: header,
                        headerCount: headerCount)
                    return unsafe rules.evaluate(
                        from: first, message, payload: payload, payloadCount: payloadCount,
                        origin: Self.origin(), in: &scratch, into: output)
                }
            }
        }
        return RuleTrialResult(of: self, verdict, output, rules)
    }

    /// Whether any rule of an account is for the message.
    func meetsRules(_ rules: RuleSet, in account: String?) -> Bool {
        unsafe Self.withBytes(Array(subject.utf8)) {
            unsafe rules.firstRule(subject: $0, count: $1, account: account) >= 0
        }
    }

    /// The address of bytes, which none at all would not have.
    private static func withBytes<Result>(
        _ bytes: [UInt8], _ body: (UnsafePointer<UInt8>, Int) -> Result
    ) -> Result {
        let padded = bytes + [0]
        return unsafe padded.withUnsafeBufferPointer {
            unsafe body($0.baseAddress!, bytes.count)
        }
    }

    private static func origin() -> RuleOrigin {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return RuleOrigin(
            clientID: 1, unixNanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec),
            random: .random(in: .min ... .max))
    }
}
