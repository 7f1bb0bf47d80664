// Attention over keys and values in pages.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

constexpr int64_t kPagePositions = 64;
static_assert(kPagePositions % kPanel == 0, "a panel of keys lies in one page");

// Pages that are multiplied as they lie; narrower ones are widened into the scratch first.
inline bool in_pages(const AttentionBlock& a) { return a.pages != nullptr && a.stored == Stored::f32; }

template <typename Number>
const Number* page_of(const AttentionBlock& a, int64_t position) {
  return static_cast<const Number*>(a.pages[(position - a.first_position) / kPagePositions]);
}

template <Stored kStored>
void widen_as(const uint16_t* from, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kLanes) store(out + i, load_stored<kStored>(from, i, kLanes));
}
inline void widen(Stored stored, const uint16_t* from, int64_t count, float* out) {
  if (stored == Stored::f16) return widen_as<Stored::f16>(from, count, out);
  widen_as<Stored::bf16>(from, count, out);
}

// Calls with the parts [from, to) of [begin, end) that lie in one page each.
template <typename Call>
inline void for_pages(int64_t begin, int64_t end, const Call& call) {
  for (int64_t from = begin; from < end;) {
    const int64_t to = smaller(end, (from / kPagePositions + 1) * kPagePositions);
    call(from, to);
    from = to;
  }
}

// Panels of the first `count` keys of a head in the page that begins with `position`; widened where it is narrow.
inline const float* page_keys(const AttentionBlock& a, int64_t position, int64_t head, int64_t count, float* widened) {
  const int64_t place = a.key_place + head * kPagePositions * a.head_dim;
  if (in_pages(a)) return page_of<float>(a, position) + place;
  widen(a.stored, page_of<uint16_t>(a, position) + place, round_up(count, kPanel) * a.head_dim, widened);
  return widened;
}

inline int64_t value_columns(const AttentionBlock& a, int64_t column) {
  return smaller(kPanel, round_up(a.head_dim, 16) - column);
}

// Its values, in pieces of columns (PagePart).
inline const float* page_values(const AttentionBlock& a, int64_t position, int64_t head, int64_t count,
                                float* widened) {
  const int64_t stride = round_up(a.head_dim, 16), place = a.value_place + head * kPagePositions * stride;
  if (in_pages(a)) return page_of<float>(a, position) + place;
  for (int64_t c = 0; c < stride; c += kPanel) {
    const int64_t piece = c * kPagePositions;
    widen(a.stored, page_of<uint16_t>(a, position) + place + piece, count * value_columns(a, c), widened + piece);
  }
  return widened;
}

// Pages that one tile of queries reads once come from memory.
inline ProductTile page_tile(bool streams, int64_t rows, int64_t vectors) {
  return streams && vectors == kPanelVectors ? kTiles.streamed[rows] : kTiles.by_size[rows][vectors];
}

// sums[rows][] = those before, unless they `start`, + scores of `count` keys times their values, which begin with row
// `within` of the page.
inline void add_page(const AttentionBlock& a, bool streams, const float* scores, int64_t rows, const float* values,
                     int64_t within, int64_t count, bool start, float* sums) {
  const int64_t wide = round_up(a.head_dim, kLanes);
  for (int64_t c = 0; c < wide; c += kPanel) {
    const int64_t columns = value_columns(a, c);
    page_tile(streams, rows, smaller(kPanel, wide - c) / kLanes)(
        scores, kKeyBlock, values + c * kPagePositions + within * columns, columns, count, start ? nullptr : sums + c,
        wide, sums + c, wide, {values, 0});
  }
}

// One query of each of several heads: those that share their keys are rows of one product. Of each page of a block the
// keys of all these heads are read, which lie behind each other, and then their values: that is how memory is fastest.
inline void attend_together(const AttentionBlock& a) {
  const AttentionScratch s(a.scratch, a.head_dim);
  const int64_t group = a.query_end / a.key_heads, wide = round_up(a.head_dim, kLanes);
  const bool streams = group <= kMostStreamed;
  const KeyRange seen = visible(a, 0, 0);
  const int64_t begin = seen.begin / kPagePositions * kPagePositions;
  for (int64_t block = begin; block < seen.end; block += kKeyBlock) {
    const int64_t end = smaller(block + kKeyBlock, seen.end);
    for_pages(block, end, [&](int64_t from, int64_t to) {
      for (int64_t head = 0; head < a.key_heads; ++head) {
        const float* keys = page_keys(a, from, head, to - from, s.keys);
        const float* query = a.query + head * group * a.query_stride;
        float* scores = s.scores + head * group * kKeyBlock + from - block;
        for (int64_t j = 0; j < to - from; j += kPanel) {
          const int64_t vectors = round_up(smaller(kPanel, to - from - j), kLanes) / kLanes;
          page_tile(streams, group, vectors)(query, a.query_stride, keys + j * a.head_dim, kPanel, a.head_dim, nullptr,
                                             0, scores + j, kKeyBlock, {keys, 0});
        }
      }
    });
    for (int64_t query = 0; query < a.query_end; ++query) {
      take_scores(a, s, 0, query, block, end - block, nullptr, block == begin, s.scores + query * kKeyBlock,
                  s.sums + query * wide);
    }
    for_pages(block, end, [&](int64_t from, int64_t to) {
      for (int64_t head = 0; head < a.key_heads; ++head) {
        add_page(a, streams, s.scores + head * group * kKeyBlock + from - block, group,
                 page_values(a, from, head, to - from, s.values), 0, to - from, from == begin,
                 s.sums + head * group * wide);
      }
    });
  }
  write_outputs(a, s);
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
