import Testing

@testable import MartletBroker

@Suite("A growing buffer")
struct GrowableBufferTests {
    @Test("it grows, and keeps what was added meanwhile")
    func growth() {
        var list = GrowableBuffer<Int>()
        for i in 0..<1_000 { list.append(i) }
        list.removeFirst(990)
        #expect((0..<list.count).map { list.items[$0] } == Array(990..<1_000))
        list.remove(from: 2, to: 5)
        #expect((0..<list.count).map { list.items[$0] } == [990, 991, 995, 996, 997, 998, 999])
        #expect(list.popLast() == 999)
        list.removeAll()
        #expect(list.count == 0 && list.popLast() == nil)
        list.destroy()
    }

    @Test("what a large use took goes, and a small one's room stays")
    func trimming() {
        var list = GrowableBuffer<Int>()
        for i in 0..<1_000 { list.append(i) }
        list.removeAll(keepingAtMost: 2_000)
        #expect(list.count == 0 && list.capacity >= 1_000)
        list.removeAll(keepingAtMost: 100)
        #expect(list.capacity == 100)
        for i in 0..<200 { list.append(i) }
        #expect(list[199] == 199)
        list.destroy()
    }

    @Test("within what was reserved, nothing moves")
    func reserved() {
        var list = GrowableBuffer<Int>(capacity: 1)
        list.append(7)
        let hasRoom = list.reserve(5_000)
        #expect(hasRoom)
        let items = list.items
        for i in 1..<5_000 { list.append(i) }
        #expect(list.items == items)
        #expect(list.items[0] == 7 && list.items[4_999] == 4_999)
        list.destroy()
    }
}
