import Testing

/// A real process and what happens to it.
@Suite(.serialized) enum Faults {}
