// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "martlet-rules-bench",
    dependencies: [.package(name: "martlet", path: "../..")],
    targets: [
        .executableTarget(
            name: "martlet-rules-bench",
            dependencies: [.product(name: "MartletRules", package: "martlet")],
            path: "Sources"
        ),
        .executableTarget(
            name: "martlet-validate-time",
            dependencies: [.product(name: "MartletRules", package: "martlet")],
            path: "Timing",
            swiftSettings: [.strictMemorySafety()]
        ),
    ],
    swiftLanguageModes: [.v6]
)
