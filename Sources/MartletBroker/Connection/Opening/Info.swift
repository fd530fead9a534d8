extension BrokerLoop {
    /// INFO: the first line a client gets; again after its first PONG, and when something changes.
    func sendInfo(_ connection: ConnectionRef, isConnectInfo: Bool) {
        var info = shared.serverInfo(isLameDuck: state.pointee.isLameDuck)
        // Who gets a user without credentials is not asked for them, in the first INFO.
        if !isConnectInfo, shared.configuration.authorization.noAuthUser != nil {
            info.requiresAuthentication = false
        }
        info.clientID = connection.pointee.id
        info.clientIP = unsafe connection.pointee.details?.takeUnretainedValue().ip ?? ""
        if isConnectInfo {
            info.isConnectInfo = true
            info.remoteAccount = connection.pointee.account.pointee.name
            info.isSystemAccount = info.remoteAccount == shared.configuration.systemAccountName
        }
        send(connection, Array("INFO \(info.json) \r\n".utf8))
    }
}
