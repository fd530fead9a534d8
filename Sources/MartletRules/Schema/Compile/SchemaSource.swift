/// A schema file, scanned: its tape is what the compiler walks and what constants are compared
/// with.
///
/// SAFETY: whoever made it frees the cells, or gives them to a program that does.
struct SchemaSource {
    let text: Cells<UInt8>
    let tape: Cells<JSONEntry>

    /// No more room than the file can need.
    static func scanLimits(_ bytes: [UInt8], _ limits: SchemaLimits) -> JSONLimits {
        var scanLimits = JSONLimits()
        scanLimits.payloadBytesMax = min(limits.fileBytesMax, bytes.count)
        scanLimits.depthMax = limits.depthMax
        scanLimits.fieldsMax = min(limits.fieldsMax, bytes.count / 2 + 1)
        scanLimits.keyBytesMax = 1_024
        scanLimits.numberDigitsMax = 100
        return scanLimits
    }

    init(_ bytes: [UInt8], limits: SchemaLimits) throws(RuleError) {
        var scratch = RuleScratch(limits: Self.scanLimits(bytes, limits))
        guard bytes.count <= limits.fileBytesMax else {
            throw RuleError("has more than \(limits.fileBytesMax) bytes")
        }
        let outcome = unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else {
                return JSONOutcome.failure(JSONFailure(.empty, 0))
            }
            return unsafe scratch.scan(start, count: buffer.count)
        }
        switch outcome {
        case .failure(let failure):
            throw RuleError("is not JSON: \(failure.reason.name) at byte \(failure.offset)")
        case .document(let document):
            for index in 0..<document.entryCount
            where document.entry(index).kind == .number && document.entry(index).isTooLong {
                let offset = document.entry(index).offset
                throw RuleError("is not JSON: number_too_long at byte \(offset)")
            }
            text = Cells(bytes)
            tape = Cells((0..<document.entryCount).map { document.entry($0) })
        }
    }

    func free() {
        text.free()
        tape.free()
    }

    var values: Values {
        Values(bytes: unsafe Bytes(UnsafePointer(text.start), count: text.count), tape: tape)
    }

    func kind(_ index: Int) -> JSONKind { tape[index].kind }

    /// The characters of a string or a key.
    func string(_ index: Int) -> String {
        var reader = ScalarReader(values.bytes, tape[index])
        var scalars = String.UnicodeScalarView()
        while !reader.isAtEnd { scalars.append(Unicode.Scalar(reader.next()) ?? "\u{FFFD}") }
        return String(scalars)
    }

    /// Keys and values of an object, in order.
    func members(_ object: Int) -> [(key: String, value: Int)] {
        var result: [(key: String, value: Int)] = []
        var key = object + 1
        while key < tape[object].next {
            result.append((string(key), key + 1))
            key = tape.index(after: key + 1)
        }
        return result
    }

    func elements(_ array: Int) -> [Int] {
        var result: [Int] = []
        var element = array + 1
        while element < tape[array].next {
            result.append(element)
            element = tape.index(after: element)
        }
        return result
    }

    func member(_ object: Int, _ key: String) -> Int? {
        guard kind(object) == .object else { return nil }
        return members(object).first { $0.key == key }?.value
    }

    /// A number without fraction, from zero on.
    func count(_ index: Int) -> Int32? {
        let entry = tape[index]
        guard entry.kind == .number, values.isInteger(entry) else { return nil }
        let number = values.decimal(entry)
        if number.isZero { return 0 }
        guard !number.isNegative, let digits = number.coefficient, number.topPower < 9 else {
            return number.isNegative ? nil : .max
        }
        var value = digits
        for _ in 0..<number.lastPower { value *= 10 }
        return Int32(clamping: value)
    }
}

/// How large a schema may be.
public struct SchemaLimits: Sendable {
    /// Bytes of a schema's text.
    public var fileBytesMax = 256 << 10
    /// How deep it may be nested.
    public var depthMax = 128
    /// Members of all its objects.
    public var fieldsMax = 1 << 15
    /// Steps of the compiled schema.
    public var stepsMax = 1 << 15

    /// The limits of a broker without a configuration.
    public init() {}
}
