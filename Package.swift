// swift-tools-version: 6.3
import PackageDescription

// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0458-strict-memory-safety.md
let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
]

// Tests look into pointers all the time; marking each would tell a reader nothing.
let testSettings = Array(settings.dropLast())

let package = Package(
    name: "martlet",
    products: [
        .library(name: "MartletBroker", targets: ["MartletBroker"]),
        // For the fuzzer and the counts of instructions, which are packages of their own.
        .library(name: "MartletRules", targets: ["MartletRules"]),
        .executable(name: "martlet", targets: ["MartletCLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Headers only: epoll, eventfd, accept4, byte masks. Nothing here decides anything.
        .target(name: "CMartletSystem"),
        .target(
            name: "MartletBroker",
            dependencies: [
                "CMartletSystem",
                "MartletRules",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings,
            linkerSettings: [.linkedLibrary("crypt")]
        ),
        // JSON, schemas and rules over bytes: compiled once, then evaluated without allocating.
        .target(
            name: "MartletRules",
            dependencies: ["CMartletSystem"],
            swiftSettings: settings
        ),
        .target(
            name: "MartletMonitor",
            dependencies: [
                "MartletBroker",
                "MartletRules",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "MartletCLI",
            dependencies: [
                "MartletBroker",
                "MartletMonitor",
                "MartletRules",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        // For its tests; Examples/order-service is a package of its own.
        .executableTarget(
            name: "OrderService",
            dependencies: [
                "MartletBroker", "MartletRules", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/order-service/Sources/OrderService",
            swiftSettings: settings
        ),
        // Handlers whose allocations are counted; see Tests/AllocationTests/run.
        .executableTarget(
            name: "AllocationHandlers",
            dependencies: [
                "MartletBroker", "MartletRules", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/AllocationTests/Handlers",
            swiftSettings: settings
        ),
        // Brokers, clients and processes that several test targets share. It has no test itself, but looks
        // into the broker as they do.
        .testTarget(
            name: "MartletTestSupport",
            dependencies: ["MartletBroker", .product(name: "Logging", package: "swift-log")],
            path: "Tests/Support",
            exclude: ["Python"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "MartletBrokerTests",
            dependencies: [
                "MartletBroker", "MartletRules", "MartletTestSupport", "OrderService",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: testSettings
        ),
        // The whole broker on a virtual clock and in-memory connections.
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "MartletBroker", "MartletRules", "MartletTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "FaultTests",
            dependencies: ["MartletCLI", "MartletTestSupport"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "MartletRulesTests",
            dependencies: ["MartletRules", "MartletTestSupport"],
            exclude: ["json_verdicts.py", "schema-suite-skips.txt"],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "MartletMonitorTests",
            dependencies: [
                "MartletBroker", "MartletMonitor", "MartletRules", "MartletTestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: testSettings
        ),
        .testTarget(
            name: "MartletCLITests",
            dependencies: [
                "MartletBroker", "MartletCLI", "MartletMonitor", "MartletRules",
                "MartletTestSupport",
            ],
            swiftSettings: testSettings
        ),
    ],
    swiftLanguageModes: [.v6]
)
