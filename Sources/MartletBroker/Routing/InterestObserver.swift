import Glibc

/// Called when an account's first subscription to a subject comes, and when the last one goes. For a link to
/// another broker, say, which sends only what is wanted here.
protocol InterestObserver: AnyObject, Sendable {
    /// Called on the subscriber's loop with the lock of the subjects held, so that changes come one after
    /// another, as they happen: it records them, and asks nothing of the account.
    func interestChanged(_ change: InterestChange)
}

/// The first subscription to a subject has come, or the last one has gone; for each queue group, and for
/// subscriptions without one.
///
/// SAFETY: the bytes are the subscription's, and good during the call that brings the change.
@safe
struct InterestChange {
    /// A filter: it may have wildcards.
    let subject: Bytes
    let subjectCount: Int
    let queue: Bytes
    /// 0 without a queue group.
    let queueCount: Int
    /// +1 or -1. For each subject and queue, the sum is 1 while there is interest, and else 0.
    let difference: Int

    init(_ subscription: SubscriptionRef, _ difference: Int) {
        unsafe subject = unsafe Bytes(subscription.pointee.subject)
        subjectCount = Int(subscription.pointee.subjectCount)
        unsafe queue = unsafe Bytes(subscription.pointee.queue)
        queueCount = Int(subscription.pointee.queueCount)
        self.difference = difference
    }
}

extension SubjectSpace {
    /// From now on the observer hears of every change; first of the interest that there is. That is one call
    /// for each subject and queue group of the account, of which there are 4,194,304 a loop at most, with the
    /// lock held: until it is done the account's SUBs, UNSUBs and cache misses wait.
    func add(_ observer: any InterestObserver) {
        unsafe pthread_mutex_lock(lock)
        contents.pointee.observers.append(observer)
        contents.pointee.tree.forEachInterest {
            observer.interestChanged(InterestChange($0, +1))
        }
        unsafe pthread_mutex_unlock(lock)
    }

    /// When this returns, the observer hears no more.
    func remove(_ observer: any InterestObserver) {
        unsafe pthread_mutex_lock(lock)
        contents.pointee.observers.removeAll { $0 === observer }
        unsafe pthread_mutex_unlock(lock)
    }

    /// With the lock held.
    @inline(never)
    func announce(_ subscription: SubscriptionRef, _ difference: Int) {
        let change = InterestChange(subscription, difference)
        for observer in contents.pointee.observers { observer.interestChanged(change) }
    }
}
