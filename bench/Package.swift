// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
]

// A package of its own, so that whoever uses the broker does not build what measures it.
let package = Package(
    name: "martlet-bench",
    products: [.executable(name: "martlet-load", targets: ["MartletLoad"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "CLoadSystem"),
        .executableTarget(
            name: "MartletLoad",
            dependencies: [
                "CLoadSystem",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MartletLoadTests",
            dependencies: [
                "MartletLoad", .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "tests/MartletLoadTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
