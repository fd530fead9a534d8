"""The highest number of something that still works, found in few tries. Nothing here measures."""


def highest(works, start, factor=2.0, precision=0.05, least=1_000, most=2_000_000):
    """The highest number for which `works` holds, to within `precision` of it; None if it does not
    for `least`. From `start` it goes up or down by `factor`, and then halves what is between."""
    low, high = None, None
    number = min(max(start, least), most)
    while low is None or high is None:
        if works(number):
            low = number
            if number >= most:
                return number
            number = min(number * factor, most) if high is None else number
        else:
            high = number
            if number <= least:
                return None
            number = max(number / factor, least) if low is None else number
    while high / low > 1 + precision:
        middle = (low * high) ** 0.5
        if works(middle):
            low = middle
        else:
            high = middle
    return low
