import Foundation
import Testing

@testable import MartletRules

/// The official cases of draft 2020-12, from the folder that MARTLET_JSON_SCHEMA_SUITE names. What
/// cannot pass is in `schema-suite-skips.txt`; a case there that passes is a failure, so that the
/// list only shrinks.
@Suite("The official cases of JSON Schema")
struct SchemaSuiteTests {
    static let folder = ProcessInfo.processInfo.environment["MARTLET_JSON_SCHEMA_SUITE"]

    private struct Group: Decodable {
        struct Case: Decodable {
            let description: String
            let valid: Bool
        }

        let description: String
        let tests: [Case]
    }

    @Test(.enabled(if: folder != nil, "MARTLET_JSON_SCHEMA_SUITE names no folder"))
    func officialCases() throws {
        let folder = try #require(Self.folder)
        var skips = try Self.skips()
        var passed = 0
        var unexpected: [String] = []
        for file in try Self.files(in: folder) {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
            let groups = try JSONDecoder().decode([Group].self, from: Data(bytes))
            let source = try SchemaSource(bytes, limits: SchemaLimits())
            defer { source.free() }
            for (group, place) in zip(groups, source.elements(0)) {
                for (name, fault) in run(group, place, source, file) {
                    let wasSkipped = skips.remove(name) != nil
                    if fault == nil { passed += 1 }
                    if (fault != nil) != wasSkipped {
                        unexpected.append(
                            "\(name)\t\(fault ?? "passes, and is on the list of skips")")
                    }
                }
            }
        }
        unexpected += skips.map { "\($0)\tis on the list of skips, and is no case" }
        #expect(unexpected.isEmpty, "\(unexpected.sorted().joined(separator: "\n"))")
        #expect(passed > 1_000)
        print("\(passed) official cases passed")
    }

    /// Each case with what went wrong.
    private func run(
        _ group: Group, _ place: Int, _ source: SchemaSource, _ file: String
    ) -> [(name: String, fault: String?)] {
        func text(_ index: Int) -> [UInt8] {
            let entry = source.tape[index]
            let quote = entry.kind == .string ? 1 : 0
            return (entry.offset - quote..<entry.end + quote).map { source.text[$0] }
        }
        let names = group.tests.map { "\(file): \(group.description): \($0.description)" }
        let schema: JSONSchema
        do {
            var options = SchemaOptions()
            options.assertsFormat = file.hasPrefix("optional/format/")
            schema = try JSONSchema(
                text(source.member(place, "schema")!), file: "schema.json", options: options)
        } catch {
            return names.map { ($0, "\(error)") }
        }
        var limits = JSONLimits()
        limits.numberDigitsMax = 400
        var scratch = RuleScratch(limits: limits)
        let tests = source.elements(source.member(place, "tests")!)
        return zip(names, zip(group.tests, tests)).map { name, pair in
            let data = text(source.member(pair.1, "data")!)
            guard let found = validate(data, schema, &scratch) else {
                return (name, "is no document")
            }
            let isValid = found == .valid
            return (name, isValid == pair.0.valid ? nil : "\(found), not \(pair.0.valid)")
        }
    }

    private static func skips() throws -> Set<String> {
        let list = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("schema-suite-skips.txt")
        let lines = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
        return Set(lines.filter { !$0.hasPrefix("#") }.map(String.init))
    }

    private static func files(in folder: String) throws -> [String] {
        let manager = FileManager.default
        let required = try manager.contentsOfDirectory(atPath: folder)
        let optional = try manager.contentsOfDirectory(atPath: "\(folder)/optional")
        // Those that can be checked; other formats are refused where formats are asserted.
        let formats = ["date", "date-time", "email", "ipv4", "ipv6", "time", "uuid"]
        return (required + optional.map { "optional/\($0)" }).filter { $0.hasSuffix(".json") }
            .sorted() + formats.map { "optional/format/\($0).json" }
    }
}

func validate(
    _ bytes: [UInt8], _ schema: JSONSchema, _ scratch: inout RuleScratch
) -> SchemaOutcome? {
    let outcome = bytes.withUnsafeBufferPointer { scratch.scan($0.baseAddress!, count: $0.count) }
    guard case .document(let document) = outcome else { return nil }
    return schema.validate(document, in: scratch)
}
