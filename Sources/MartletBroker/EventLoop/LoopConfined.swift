/// Carries a value that is not Sendable to the one thread that will own it.
///
/// SAFETY: whoever makes it gives the value away; only the receiving thread takes it out.
struct LoopConfined<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
