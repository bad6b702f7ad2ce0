// The layout that the reader and the writer share. Numbers in brackets: sections of PKWARE's APPNOTE 6.3.10.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tieout::zip {

constexpr std::uint32_t local_signature = 0x04034b50;    // "PK\3\4" [4.3.7]
constexpr std::uint32_t central_signature = 0x02014b50;  // "PK\1\2" [4.3.12]
constexpr std::uint32_t zip64_signature = 0x06064b50;    // "PK\6\6" [4.3.14]
constexpr std::uint32_t locator_signature = 0x07064b50;  // "PK\6\7" [4.3.15]
constexpr std::uint32_t end_signature = 0x06054b50;      // "PK\5\6" [4.3.16]

constexpr std::size_t local_size = 4 + 5 * 2 + 3 * 4 + 2 * 2;
constexpr std::size_t central_size = 4 + 6 * 2 + 3 * 4 + 5 * 2 + 2 * 4;
constexpr std::size_t zip64_size = 4 + 8 + 2 * 2 + 2 * 4 + 4 * 8;
constexpr std::size_t locator_size = 4 + 4 + 8 + 4;
constexpr std::size_t end_size = 4 + 4 * 2 + 2 * 4 + 2;

// Flags [4.4.4].
constexpr std::uint16_t flag_encrypted = 1U << 0;
constexpr std::uint16_t flag_descriptor = 1U << 3;  // CRC and sizes come after the payload; zero before it
constexpr std::uint16_t flag_utf8 = 1U << 11;
constexpr std::uint16_t flag_masked = 1U << 13;  // encrypted directory

// Extra fields: u16 id, u16 size, data [4.5].
constexpr std::uint16_t extra_zip64 = 0x0001;
constexpr std::uint16_t extra_torch_padding =
    0x4246;  // "FB": caffe2/serialize/inline_container.cc, getPadding
constexpr std::byte torch_padding_byte{'Z'};

// A field with this value stands in the zip64 extra field.
constexpr std::uint16_t in_zip64_16 = 0xFFFF;
constexpr std::uint32_t in_zip64_32 = 0xFFFFFFFF;

constexpr std::uint16_t version_plain = 20;
constexpr std::uint16_t version_zip64 = 45;
constexpr std::uint16_t first_day = (1U << 5) | 1U;  // 1980-01-01 in MS-DOS format [4.4.6]

}  // namespace tieout::zip
