// Parses a document again and again with simdjson and prints the nanoseconds that all of it took.
//   c++ -O3 -std=c++17 -o simdjson_time simdjson_time.cpp -lsimdjson
//   ./simdjson_time dom|ondemand DOCUMENT TIMES
#include <simdjson.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

using namespace simdjson;

// On demand, what nobody asks for is not checked: so ask for everything.
static uint64_t walk(ondemand::value value) {
    switch (value.type()) {
    case ondemand::json_type::object: {
        uint64_t sum = 0;
        for (auto field : value.get_object()) {
            sum += std::string_view(field.unescaped_key()).size();
            sum += walk(field.value());
        }
        return sum;
    }
    case ondemand::json_type::array: {
        uint64_t sum = 0;
        for (auto element : value.get_array()) sum += walk(element.value());
        return sum;
    }
    case ondemand::json_type::number: return uint64_t(double(value.get_double()));
    case ondemand::json_type::string: return std::string_view(value.get_string()).size();
    case ondemand::json_type::boolean: return bool(value.get_bool());
    default: return value.is_null() ? 1 : 0;
    }
}

static uint64_t parse_dom(dom::parser &parser, const padded_string &text) {
    dom::element document = parser.parse(text);
    return uint64_t(document.type());
}

static uint64_t parse_on_demand(ondemand::parser &parser, const padded_string &text) {
    ondemand::document document = parser.iterate(text);
    return walk(document.get_value());
}

int main(int count, char **arguments) {
    if (count != 4) return std::fprintf(stderr, "simdjson_time dom|ondemand DOCUMENT TIMES\n"), 2;
    const bool is_dom = std::string_view(arguments[1]) == "dom";
    const long times = std::atol(arguments[3]);
    const padded_string text = padded_string::load(arguments[2]);
    dom::parser whole;
    ondemand::parser lazy;
    uint64_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < times; i++) {
        sum += is_dom ? parse_dom(whole, text) : parse_on_demand(lazy, text);
    }
    const auto end = std::chrono::steady_clock::now();
    std::printf("%lld\n", static_cast<long long>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count()));
    return sum == 0;
}
