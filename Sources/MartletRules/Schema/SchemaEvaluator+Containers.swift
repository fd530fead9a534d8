extension SchemaEvaluator {
    // MARK: - Members

    @inline(never)
    mutating func runMembers(_ step: Int, _ object: Int) -> Bool {
        let members = code.members[Int(code.steps[step].a)]
        if members.names >= 0 || members.patternCount > 0 || code.tracksEvaluated {
            return runMembersByAll(step, object, members)
        }
        let end = document.tape[object].next
        var requiredLeft = members.requiredCount
        var key = object &+ 1
        while key < end {
            work.left &-= 1
            if work.left < 0 { return false }
            var schema = members.additional
            let found = slot(of: key, members)
            if found >= 0 {
                requiredLeft &-= code.slots[found].isRequired ? 1 : 0
                schema = code.slots[found].schema
            }
            if schema >= 0 && !evaluate(Int(schema), key &+ 1) { return false }
            key = document.tape.index(after: key &+ 1)
        }
        return requiredLeft == 0 || fail(step, object)
    }

    /// With patterns, names or marks: several schemas may see one member.
    @inline(never)
    private mutating func runMembersByAll(
        _ step: Int, _ object: Int, _ members: SchemaMembers
    ) -> Bool {
        let end = document.tape[object].next
        var requiredLeft = members.requiredCount
        var key = object &+ 1
        while key < end {
            work.left &-= 1
            if work.left < 0 { return false }
            if members.names >= 0 && !evaluateChild(members.names, key) { return false }
            let found = slot(of: key, members)
            if found >= 0 && code.slots[found].isRequired { requiredLeft &-= 1 }
            var isKnown = found >= 0 && code.slots[found].isDeclared
            if isKnown && !evaluateChild(code.slots[found].schema, key &+ 1) { return false }
            if !runPatterns(members, key, &isKnown) { return false }
            if !isKnown && members.additional >= 0 {
                if !evaluateChild(members.additional, key &+ 1) { return false }
                isKnown = true
            }
            if isKnown { mark(key &+ 1) }
            key = document.tape.index(after: key &+ 1)
        }
        return requiredLeft == 0 || fail(step, object)
    }

    private mutating func runPatterns(
        _ members: SchemaMembers, _ key: Int, _ isKnown: inout Bool
    ) -> Bool {
        let keyEntry = document.tape[key]
        for pair in 0..<Int(members.patternCount) {
            let place = Int(members.patterns) &+ 2 &* pair
            guard matches(code.operands[place], keyEntry) else { continue }
            isKnown = true
            if !evaluateChild(code.operands[place &+ 1], key &+ 1) { return false }
        }
        return true
    }

    /// The slot of a key in a table, or -1.
    @inline(__always)
    private mutating func slot(of key: Int, _ members: SchemaMembers) -> Int {
        if members.tableCount == 0 { return -1 }
        let mask = Int(members.tableCount) &- 1
        let hash = document.tape[key].hash
        var place = Int(hash &>> members.tableShift)
        while true {
            let index = Int(members.table) &+ place
            if code.slots[index].nameOffset < 0 { return -1 }
            if code.slots[index].hash == hash && isNamed(document.tape[key], index) { return index }
            place = (place &+ 1) & mask
        }
    }

    @inline(__always)
    private mutating func isNamed(_ key: JSONEntry, _ slot: Int) -> Bool {
        let length = Int(code.slots[slot].nameLength)
        if key.isEscaped { return isNamedWithEscapes(key, slot) }
        return key.length == length
            && document.bytes.keyStart(key.offset, length: length) == code.slots[slot].nameStart
            && (length <= 8 || hasLongName(key, slot))
    }

    @inline(never)
    private mutating func hasLongName(_ key: JSONEntry, _ slot: Int) -> Bool {
        let offset = Int(code.slots[slot].nameOffset)
        return document.bytes.areEqual(key.offset, code.nameBytes, offset, length: key.length)
    }

    @inline(never)
    private mutating func isNamedWithEscapes(_ key: JSONEntry, _ slot: Int) -> Bool {
        let name = JSONEntry(
            offset: Int(code.slots[slot].nameOffset), length: Int(code.slots[slot].nameLength),
            kind: .string)
        return isSame(key, document.bytes, as: name, code.nameBytes)
    }

    private mutating func hasMember(_ object: Int, _ slot: Int32) -> Bool {
        let wanted = code.slots[Int(slot)].hash
        let end = document.tape[object].next
        var key = object &+ 1
        while key < end && work.left >= 0 {
            work.left &-= 1
            let entry = document.tape[key]
            if entry.hash == wanted && isNamed(entry, Int(slot)) { return true }
            key = document.tape.index(after: key &+ 1)
        }
        return false
    }

    mutating func runDependentRequired(_ step: SchemaStep, _ value: Int) -> Bool {
        var place = Int(step.a)
        for _ in 0..<step.b {
            let count = Int(code.operands[place &+ 1])
            if hasMember(value, code.operands[place]) {
                for index in 0..<count
                where !hasMember(value, code.operands[place &+ 2 &+ index]) {
                    return false
                }
            }
            place &+= 2 &+ count
        }
        return true
    }

    mutating func runDependentSchemas(_ step: SchemaStep, _ value: Int) -> Bool {
        for pair in 0..<Int(step.b) {
            let place = Int(step.a) &+ 2 &* pair
            if hasMember(value, code.operands[place])
                && !evaluate(Int(code.operands[place &+ 1]), value)
            {
                return false
            }
        }
        return true
    }

    // MARK: - Elements

    @inline(never)
    mutating func runElements(_ step: Int, _ array: Int) -> Bool {
        let step = code.steps[step]
        let end = document.tape[array].next
        var element = array &+ 1
        var position = 0
        while element < end {
            work.left &-= 1
            if work.left < 0 { return false }
            let isFirst = position < Int(step.b)
            if !isFirst && step.c < 0 { return true }
            let schema = isFirst ? code.operands[Int(step.a) &+ position] : step.c
            if !evaluateChild(schema, element) { return false }
            mark(element)
            element = document.tape.index(after: element)
            position &+= 1
        }
        return true
    }

    mutating func runContains(_ step: SchemaStep, _ array: Int) -> Bool {
        let end = document.tape[array].next
        var count: Int32 = 0
        var element = array &+ 1
        while element < end && work.left >= 0 {
            work.left &-= 1
            if evaluateChild(step.a, element) {
                count &+= 1
                mark(element)
                if count > step.c { return false }
                if !code.tracksEvaluated && count >= step.b && step.c == .max { return true }
            }
            element = document.tape.index(after: element)
        }
        return count >= step.b
    }

    // MARK: - What nobody has looked at

    /// Of a container whose values each stand `keyEntries` behind the start of their member: 0 in an array, 1
    /// in an object.
    mutating func runUnevaluated(
        _ step: SchemaStep, _ container: Int, _ trailStart: Int, keyEntries: Int
    ) -> Bool {
        let end = document.tape[container].next
        var member = container &+ 1
        while member < end {
            work.left &-= 1
            if work.left < 0 { return false }
            let child = member &+ keyEntries
            if !marks.isMarked(child, since: trailStart) {
                if !evaluateChild(step.a, child) { return false }
                mark(child)
            }
            member = document.tape.index(after: child)
        }
        return true
    }
}
