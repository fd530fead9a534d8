/// Who a connection is, once it is known.
struct Identity: Equatable, Sendable {
    /// nil where no user but a token or nothing decides.
    var user: String?
    var account: AccountRef
    /// nil allows all.
    var permissions: Permissions?

    static func == (one: Identity, other: Identity) -> Bool {
        one.user == other.user && one.account == other.account
            && one.permissions === other.permissions
    }
}
