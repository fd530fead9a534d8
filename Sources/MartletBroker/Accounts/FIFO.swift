/// First in, first out, both in constant time on average.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        defer {
            head += 1
            // Half of them are gone: moving the others costs no more than taking those did.
            if head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }

    mutating func removeAll(where isGone: (Element) -> Bool) {
        elements.removeFirst(head)
        head = 0
        elements.removeAll(where: isGone)
    }
}
