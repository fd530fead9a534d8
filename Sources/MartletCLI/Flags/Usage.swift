/// What `martlet --help` prints.
enum Usage {
    static let text = """

        Usage: martlet [serve] [flags]        run the broker
               martlet pub SUBJECT [PAYLOAD]  publish a message
               martlet sub SUBJECT            print the messages of a subject
               martlet request SUBJECT [PAYLOAD]
                                              publish a request and print the answer
               martlet rules test|check       try or check the rules of a configuration file
        (martlet pub --help and its like explain all but the first)

        Flags are those of nats-server; one dash or two mean the same.

        Server:
            -a, --addr, --net <host>         address to listen on (default: 0.0.0.0)
            -p, --port <port>                client port (default: 4222; -1: any free one)
            -n, --name, --server_name <name> name of this server (default: its id)
            -P, --pid <file>                 write the process id to this file
            -m, --http_port <port>           serve monitoring over HTTP (-1: any free port)
            -c, --config <file>              read this configuration file
            -t                               check the configuration file and exit
            -sl, --signal <command>[=<pid>]  signal a running server: ldm, stop, quit, term,
                                             reopen, reload; <pid> is a process id or a pid file;
                                             reload waits for the outcome and fails as the reload does
                --client_advertise <addr>    address that clients are told, host:port
                --ports_file_dir <dir>       write <executable>_<pid>.ports to this directory
                --loops <n|auto>             event loops (default: auto, which is 1)

        Logging:
            -l, --log <file>                 log to this file
            -T, --logtime                    start lines with the time (default: true)
                --logtime_utc                times in UTC
            -s, --syslog                     log to the local syslog
            -r, --remote_syslog <url>        log to this syslog server, udp://localhost:514
            -D, --debug                      log debugging lines
            -V, --trace                      log the protocol
            -VV                              log the protocol of the system account too
            -DV, -DVV                        -D with -V, -D with -VV
                --log_size_limit <bytes>     rotate the log file at this size
                --max_traced_msg_len <n>     payload bytes shown of a traced message

        Authorization:
                --user <user>                user that clients need
                --pass <password>            password that clients need
                --auth <token>               token that clients need

        Other:
            -h, --help                       print this
            -v, --version                    print the version

        """
}
