import Glibc

/// What is in a file, at one place in memory.
///
/// SAFETY: one block that is never written again and lives as long as the process.
@safe struct FileBytes {
    let bytes: UnsafePointer<UInt8>
    let count: Int

    private static let countMax = 1 << 20

    init(_ path: String) throws {
        guard let file = unsafe fopen(path, "rb") else { throw LoadFailure.system("open \(path)") }
        defer { unsafe fclose(file) }
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.countMax)
        count = unsafe fread(block, 1, Self.countMax, file)
        unsafe bytes = UnsafePointer(block)
        guard count > 0 else { throw LoadFailure("\(path) is empty") }
    }
}
