import Testing

/// What clients may build on, proved over each wire, with one loop and with several. One test at a time:
/// most of them measure time or fill buffers.
@Suite(.serialized) enum Guarantees {}
