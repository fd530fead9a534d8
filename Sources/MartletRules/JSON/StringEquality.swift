/// Whether two strings have the same characters, however they are escaped.
@inline(__always)
func areEqualStrings(_ aBytes: Bytes, _ a: JSONEntry, _ bBytes: Bytes, _ b: JSONEntry) -> Bool {
    if !a.isEscaped && !b.isEscaped {
        return a.length == b.length
            && aBytes.areEqual(a.offset, bBytes, b.offset, length: a.length)
    }
    return areEqualEscaped(ScalarReader(aBytes, a), ScalarReader(bBytes, b))
}

@inline(never)
private func areEqualEscaped(_ a: ScalarReader, _ b: ScalarReader) -> Bool {
    var a = a
    var b = b
    while !a.isAtEnd && !b.isAtEnd {
        if a.next() != b.next() { return false }
    }
    return a.isAtEnd && b.isAtEnd
}
