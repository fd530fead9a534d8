// swift-tools-version: 6.3
import PackageDescription

// A package of its own, as yours would be. The tests of Martlet build the same sources.
let package = Package(
    name: "order-service",
    dependencies: [
        .package(name: "martlet", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "OrderService",
            dependencies: [
                .product(name: "MartletBroker", package: "martlet"),
                .product(name: "MartletRules", package: "martlet"),
                .product(name: "Logging", package: "swift-log"),
            ]
        )
    ],
    swiftLanguageModes: [.v6]
)
