# Sourced: the build that users run. Swift's libraries are in the executable: it runs where there is no Swift,
# and takes 3 MB less. In a folder of its own, because a build with other flags would undo it.
installed=(-c release --static-swift-stdlib --scratch-path .build-installed)
