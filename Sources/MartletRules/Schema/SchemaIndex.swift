/// Where subschemas are and what they are called: bases, identifiers and anchors, found only where
/// the vocabulary has schemas (not in `enum`, for instance).
struct SchemaIndex {
    private let source: SchemaSource
    /// The resource that a schema belongs to, by its entry.
    private(set) var resources: [Int: Int] = [:]
    /// Base URI of each resource, by its entry.
    private(set) var bases: [Int: String] = [:]
    private(set) var pointers: [Int: JSONPointer] = [:]
    private var roots: [String: Int] = [:]
    private var anchors: [String: Int] = [:]
    /// Name, resource and schema of each.
    private(set) var dynamicAnchors: [(name: String, resource: Int, schema: Int)] = []

    static let single: Set<String> = [
        "additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else",
        "unevaluatedItems", "unevaluatedProperties", "contentSchema",
    ]
    static let lists: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems"]
    static let maps: Set<String> = ["properties", "patternProperties", "dependentSchemas", "$defs"]

    init(_ source: SchemaSource) throws(RuleError) {
        self.source = source
        bases[0] = ""
        roots[""] = 0
        try visit(0, JSONPointer(tokens: []), resource: 0)
    }

    mutating func visit(
        _ schema: Int, _ pointer: JSONPointer, resource outer: Int
    ) throws(RuleError) {
        if pointers[schema] != nil { return }
        pointers[schema] = pointer
        resources[schema] = outer
        guard source.kind(schema) == .object else { return }
        var resource = outer
        if let id = try text(schema, "$id", pointer) {
            let uri = SchemaURI(id).resolved(against: bases[outer] ?? "")
            guard (uri.fragment ?? "").isEmpty else {
                throw RuleError("has no fragment", at: pointer, keyword: "$id")
            }
            resource = schema
            resources[schema] = schema
            bases[schema] = uri.absolute
            if let other = roots[uri.absolute], other != schema, other != 0 || uri.absolute != "" {
                throw RuleError("is the name of another schema too", at: pointer, keyword: "$id")
            }
            roots[uri.absolute] = schema
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            guard let name = try text(schema, keyword, pointer) else { continue }
            let place = "\(bases[resource] ?? "")#\(name)"
            guard anchors[place] ?? schema == schema else {
                throw RuleError(
                    "is the name of another schema too", at: pointer, keyword: keyword)
            }
            anchors[place] = schema
            if keyword == "$dynamicAnchor" { dynamicAnchors.append((name, resource, schema)) }
        }
        for (key, value) in source.members(schema) {
            let below = pointer.appending(key)
            if Self.single.contains(key) {
                try visit(value, below, resource: resource)
            } else if Self.lists.contains(key), source.kind(value) == .array {
                for (index, element) in source.elements(value).enumerated() {
                    try visit(element, below.appending("\(index)"), resource: resource)
                }
            } else if Self.maps.contains(key), source.kind(value) == .object {
                for (name, member) in source.members(value) {
                    try visit(member, below.appending(name), resource: resource)
                }
            }
        }
    }

    private func text(
        _ schema: Int, _ keyword: String, _ pointer: JSONPointer
    ) throws(RuleError) -> String? {
        guard let value = source.member(schema, keyword) else { return nil }
        guard source.kind(value) == .string else {
            throw RuleError("is a string", at: pointer, keyword: keyword)
        }
        return source.string(value)
    }

    func resource(of schema: Int) -> Int { resources[schema] ?? 0 }

    /// The schema that a reference in a resource means, and the anchor that it names it by.
    mutating func find(
        _ reference: String, from resource: Int
    ) throws(RuleError) -> (schema: Int, anchor: String?)? {
        let uri = SchemaURI(reference).resolved(against: bases[resource] ?? "")
        guard let root = roots[uri.absolute] else { return nil }
        let fragment = uri.fragment ?? ""
        if fragment.isEmpty { return (root, nil) }
        guard fragment.hasPrefix("/") else {
            return anchors["\(uri.absolute)#\(fragment)"].map { ($0, fragment) }
        }
        return try find(JSONPointer(fragment), from: root).map { ($0, nil) }
    }

    /// Walks a pointer; what no keyword is known to lead to becomes a schema by being referred to.
    private mutating func find(_ pointer: JSONPointer, from root: Int) throws(RuleError) -> Int? {
        var place = root
        var resource = self.resource(of: root)
        var whole = pointers[root] ?? JSONPointer(tokens: [])
        for token in pointer.tokens {
            var next: Int?
            if source.kind(place) == .object {
                next = source.member(place, token)
            } else if source.kind(place) == .array, let index = Int(token) {
                let elements = source.elements(place)
                next = elements.indices.contains(index) ? elements[index] : nil
            }
            guard let next else { return nil }
            place = next
            whole = whole.appending(token)
            if let known = resources[place] { resource = known }
        }
        try visit(place, whole, resource: resource)
        return place
    }
}
