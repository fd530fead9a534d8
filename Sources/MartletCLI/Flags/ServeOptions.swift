import ArgumentParser
import MartletBroker

/// The flags of `martlet serve` in their canonical form; nil is "not given", so that a flag can
/// win over the configuration file whatever its value is.
struct ServeOptions: ParsableArguments {
    @Option(name: .customLong("show-help")) var showsHelp: Bool?
    @Option(name: .customLong("show-version")) var showsVersion: Bool?
    @Option(name: .customLong("check")) var checksConfiguration: Bool?
    @Option(name: .customLong("config")) var configurationPath: String?
    @Option(name: .customLong("signal")) var signal: String?

    @Option(name: .customLong("addr")) var host: String?
    @Option(name: .customLong("port")) var port: Int?
    @Option(name: .customLong("name")) var name: String?
    @Option(name: .customLong("client-advertise")) var clientAdvertise: String?
    @Option(name: .customLong("http-port")) var httpPort: Int?
    @Option(name: .customLong("pid")) var pidFile: String?
    @Option(name: .customLong("ports-file-dir")) var portsFileDirectory: String?
    @Option(name: .customLong("loops")) var loops: String?

    @Option(name: .customLong("user")) var user: String?
    @Option(name: .customLong("pass")) var password: String?
    @Option(name: .customLong("auth")) var token: String?

    @Option(name: .customLong("debug")) var debug: Bool?
    @Option(name: .customLong("trace")) var trace: Bool?
    @Option(name: .customLong("trace-verbose")) var traceVerbose: Bool?
    @Option(name: .customLong("logtime")) var logTime: Bool?
    @Option(name: .customLong("logtime-utc")) var logTimeUTC: Bool?
    @Option(name: .customLong("log")) var logFile: String?
    @Option(name: .customLong("log-size-limit")) var logSizeLimit: Int?
    @Option(name: .customLong("syslog")) var syslog: Bool?
    @Option(name: .customLong("remote-syslog")) var remoteSyslog: String?
    @Option(name: .customLong("max-traced-msg-len")) var tracedMessageLimit: Int?

    func validate() throws {
        if let loops, loops != "auto", !(Int(loops).map { $0 >= 1 && $0 <= 1024 } ?? false) {
            throw ValidationError("--loops takes a number from 1 to 1024, or auto")
        }
    }
}

extension ServeOptions {
    /// Writes what was given over what `configuration` holds.
    func apply(to configuration: inout BrokerConfiguration) {
        if let host { configuration.host = host.isEmpty ? BrokerConfiguration().host : host }
        // Zero is "the default" for nats-server, not "any free port": that is -1.
        if let port { configuration.port = port == 0 ? BrokerConfiguration().port : port }
        if let name { configuration.serverName = name.isEmpty ? nil : name }
        if let clientAdvertise { configuration.clientAdvertise = clientAdvertise }
        if let httpPort { configuration.httpPort = httpPort }
        if let pidFile { configuration.pidFile = pidFile }
        if let portsFileDirectory { configuration.portsFileDirectory = portsFileDirectory }
        if let loops { configuration.loopCount = Int(loops) }
        if let tracedMessageLimit { configuration.tracedMessageBytesMax = tracedMessageLimit }
        if let user { configuration.authorization.user = user }
        if let password { configuration.authorization.password = password }
        if let token { configuration.authorization.token = token }
        apply(to: &configuration.log)
    }

    private func apply(to log: inout BrokerConfiguration.Log) {
        if let debug { log.debug = debug }
        if let trace { log.trace = trace }
        if let traceVerbose { log.traceVerbose = traceVerbose }
        if let logTime { log.showsTime = logTime }
        if let logTimeUTC { log.usesUTC = logTimeUTC }
        if let logFile { log.file = logFile.isEmpty ? nil : logFile }
        if let logSizeLimit { log.fileBytesMax = logSizeLimit }
        if let syslog { log.syslog = syslog }
        if let remoteSyslog { log.remoteSyslog = remoteSyslog.isEmpty ? nil : remoteSyslog }
    }
}
