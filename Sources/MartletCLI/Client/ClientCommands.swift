import ArgumentParser
struct PublishCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "pub") }
struct SubscribeCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "sub") }
struct RequestCommand: ParsableCommand { static let configuration = CommandConfiguration(commandName: "request") }
