extension String {
    /// What others wrote, so that it can be shown: control characters, which a terminal would obey,
    /// stand as escapes.
    var printable: String { printable(keeping: []) }

    /// Leaves some of them as they are, line breaks for example.
    func printable(keeping kept: Set<Unicode.Scalar>) -> String {
        let isHarmless: (Unicode.Scalar) -> Bool = { !$0.isControl || kept.contains($0) }
        if unicodeScalars.allSatisfy(isHarmless) { return self }
        var shown = ""
        for scalar in unicodeScalars {
            if isHarmless(scalar) {
                shown.unicodeScalars.append(scalar)
            } else {
                shown += scalar.escaped(asASCII: true)
            }
        }
        return shown
    }
}

extension Unicode.Scalar {
    /// C0, DEL and C1.
    fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
