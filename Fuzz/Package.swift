// swift-tools-version: 6.3
import PackageDescription

// dev/fuzz passes the flags that instrument the broker as well.
let package = Package(
    name: "martlet-fuzz",
    dependencies: [
        .package(name: "martlet", path: ".."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "martlet-fuzz",
            dependencies: [
                .product(name: "MartletBroker", package: "martlet"),
                .product(name: "MartletRules", package: "martlet"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources",
            swiftSettings: [.unsafeFlags(["-parse-as-library"])]
        )
    ],
    swiftLanguageModes: [.v6]
)
