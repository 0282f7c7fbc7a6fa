// Media types: what a body says it is, and what a client will take (RFC 9110, 8.3 and 12.5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dropscore::http {

enum class MediaType : std::uint8_t { json, csv };

std::string_view text_of(MediaType type);  ///< as a Content-Type of an answer

bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Without the spaces and tabs around it.
std::string_view trimmed(std::string_view text);

/// What a Content-Type names: `application/json` or any `application/*+json` in UTF-8, `text/csv` in any charset
/// (the reader finds out). Nothing for all others.
std::optional<MediaType> body_type(std::string_view content_type);

/// How much a client wants `type`: 0 (not at all) to 1000. `accept` is the header's value, several joined by commas;
/// empty means that anything will do. The most specific range decides; media parameters other than q are not looked
/// at; a range that cannot be read is passed over.
unsigned quality_of(MediaType type, std::string_view accept);

}  // namespace dropscore::http
