@testable import MartletBroker

extension [UInt8] {
    var asText: String { String(decoding: self, as: UTF8.self) }
}

func array(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: bytes, count: count))
}
