/// Carries a value that is not Sendable to another thread. Nothing checks that it is given away.
///
/// SAFETY: whoever makes it sees to it that what other threads still reach of the value is safe to share.
struct UncheckedTransfer<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
