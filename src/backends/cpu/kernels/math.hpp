// exp, tanh and the activations on vectors, for every level. The polynomials are minimax fits made for this file.
// ACCELERATE_LEVEL and its vectors (simd_*.hpp) come first.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

constexpr float kLog2E = 1.44269504F;

// 2^r, |r| <= 1/2, relative error 2e-9 before rounding.
inline Vec exp2_fraction(Vec r) {
  Vec p = set1(0.00015345812F);
  p = fma(p, r, set1(0.00133999314F));
  p = fma(p, r, set1(0.00961848896F));
  p = fma(p, r, set1(0.0555032878F));
  p = fma(p, r, set1(0.240226469F));
  p = fma(p, r, set1(0.693147206F));
  return fma(p, r, set1(1.0F));
}

// Adding it rounds to an integer and leaves that integer + 127 in the low bits: shifted up, the exponent of 2^n.
constexpr float kRound = 12582912.0F + 127.0F;

// 2^x; 0 from x <= -126.5 on (also -inf), inf from x > 127.5 on.
inline Vec exp2(Vec x) {
  x = minimum(set1(128.0F), maximum(set1(-127.0F), x));
  const Vec t = x + set1(kRound);
  return exp2_fraction(x - (t - set1(kRound))) * shift_into_exponent(t);
}

// The same for x <= 0 (NaN stays NaN), relative error 2e-7: a softmax sums these.
inline Vec exp2_below_zero(Vec x) {
  x = maximum(set1(-127.0F), x);
  const Vec t = x + set1(kRound);
  const Vec r = x - (t - set1(kRound));
  Vec p = set1(0.0013276472F);
  p = fma(p, r, set1(0.00967554148F));
  p = fma(p, r, set1(0.0555071327F));
  p = fma(p, r, set1(0.240221197F));
  p = fma(p, r, set1(0.693146967F));
  return fma(p, r, set1(1.00000007F)) * shift_into_exponent(t);
}

// e^x to 2 ulp.
inline Vec exp(Vec x) {
  x = minimum(set1(89.0F), maximum(set1(-88.0F), x));
  const Vec t = fma(x, set1(kLog2E), set1(kRound));
  const Vec n = t - set1(kRound);
  Vec r = fma(n, set1(-0.693359375F), x);  // ln 2 in two parts, the first short enough for an exact product
  r = fma(n, set1(2.12194440e-4F), r);
  return exp2_fraction(r * set1(kLog2E)) * shift_into_exponent(t);
}

inline Vec sigmoid(Vec x) { return set1(1.0F) / (set1(1.0F) + exp(set1(0.0F) - x)); }

inline Vec tanh(Vec x) {
  const Vec a = absolute(x);
  const Vec large = set1(1.0F) - set1(2.0F) / (exp(a + a) + set1(1.0F));
  const Vec t = x * x;  // below 0.625 the line above cancels: x + x^3 P(x^2)
  Vec p = set1(-0.00571704359F);
  p = fma(p, t, set1(0.0206505861F));
  p = fma(p, t, set1(-0.0537434977F));
  p = fma(p, t, set1(0.133314913F));
  p = fma(p, t, set1(-0.333332839F));
  const Vec small = fma(a * t, p, a);
  return copy_sign(if_less(a, set1(0.625F), small, large), x);
}

// Phi(-a) = e^(-a^2/2) R(a) for a >= 0, R(a) = erfc(a / sqrt 2) e^(a^2/2) / 2. R is fitted to 4.8 and constant from
// there on, where the rest is below 1e-7.
inline Vec normal_tail(Vec a) {
  const Vec c = minimum(a, set1(4.8F));
  Vec r = set1(1.32336945e-06F);
  r = fma(r, c, set1(-2.9866966e-05F));
  r = fma(r, c, set1(0.000301261387F));
  r = fma(r, c, set1(-0.00182458475F));
  r = fma(r, c, set1(0.0075940968F));
  r = fma(r, c, set1(-0.0238342993F));
  r = fma(r, c, set1(0.0607599693F));
  r = fma(r, c, set1(-0.132332245F));
  r = fma(r, c, set1(0.249875628F));
  r = fma(r, c, set1(-0.398932995F));
  r = fma(r, c, set1(0.499999886F));
  return exp2(a * a * set1(-0.5F * kLog2E)) * r;
}

// x Phi(x) = max(x, 0) - |x| Phi(-|x|): no cancellation on the negative side, absolute error 2e-7.
#if defined(ACCELERATE_HAS_LOOKUP)
// |x| Phi(-|x|) up to 5.6, from where on it is below 1e-7, in 16 pieces around the multiples of 1 / kPieces: a
// polynomial each, 18 operations instead of 31. Absolute error 7e-8.
alignas(64) constexpr float kTailPieces[6][16] = {
    {0.0F, 0.129734188F, 0.169789881F, 0.150815979F, 0.107119985F, 0.0638685599F, 0.0326151513F, 0.014405367F,
     0.00553229544F, 0.00185311271F, 0.000542419963F, 0.000138909949F, 3.11490148e-05F, 6.11937821e-06F,
     1.05363404e-06F, 1.59041875e-07F},
    {0.180761769F, 0.0808911994F, 0.0045997845F, -0.0365991741F, -0.046527341F, -0.0381158292F, -0.0243231785F,
     -0.0127882026F, -0.0056748027F, -0.00215221616F, -0.00070273754F, -0.000198465888F, -4.86315985e-05F,
     -1.03620459e-05F, -1.92293442e-06F, -3.11174688e-07F},
    {-0.0521409921F, -0.0456506573F, -0.0296532046F, -0.01192657F, 0.000835176732F, 0.00645005144F, 0.00670873094F,
     0.00467059435F, 0.00253259554F, 0.00112492521F, 0.000418976328F, 0.000132541943F, 3.58963916e-05F, 8.36678191e-06F,
     1.68449435e-06F, 2.93737941e-07F},
    {-4.35874426e-06F, 0.00411669211F, 0.00608184747F, 0.00534337526F, 0.00304816035F, 0.000812067476F,
     -0.000457110029F, -0.000777535315F, -0.000605312525F, -0.00033834533F, -0.000149559841F, -5.43267415e-05F,
     -1.65376296e-05F, -4.26789393e-06F, -9.40763812e-07F, -1.77990387e-07F},
    {0.00115327956F, 0.000820123649F, 0.000135752736F, -0.000443983736F, -0.000620774284F, -0.000453118671F,
     -0.00018483249F, 5.36404002e-07F, 6.5918146e-05F, 5.96866885e-05F, 3.44514483e-05F, 1.51126424e-05F,
     5.33882576e-06F, 1.5608714e-06F, 3.83515726e-07F, 7.99172994e-08F},
    {-3.21641564e-05F, -0.000114424161F, -0.000142261488F, -7.94982043e-05F, 6.16973557e-06F, 5.21657857e-05F,
     4.90289749e-05F, 2.421715e-05F, 3.78231675e-06F, -4.50215384e-06F, -4.83686881e-06F, -2.83416307e-06F,
     -1.21242351e-06F, -4.09874758e-07F, -1.13362496e-07F, -2.63326658e-08F}};
inline Vec gelu_erf(Vec x) {
  constexpr float kPieces = 2.76607132F, kWhole = 12582912.0F;  // adding this leaves the piece in the low bits
  const Vec a = minimum(set1(5.6F), absolute(x));
  const Vec t = fma(a, set1(kPieces), set1(kWhole));
  const Vec u = fma(a, set1(kPieces), set1(kWhole) - t);
  Vec p = look_up(kTailPieces[5], t);
  p = fma(p, u, look_up(kTailPieces[4], t));
  p = fma(p, u, look_up(kTailPieces[3], t));
  p = fma(p, u, look_up(kTailPieces[2], t));
  p = fma(p, u, look_up(kTailPieces[1], t));
  p = fma(p, u, look_up(kTailPieces[0], t));
  return maximum(set1(0.0F), x) - p;
}
#else
inline Vec gelu_erf(Vec x) {
  const Vec a = absolute(x);
  return maximum(set1(0.0F), x) - a * normal_tail(a);
}
#endif

// The same to 2e-5 (3e-4 at |x| = 10), at a third of the cost: for products whose own rounding is a hundred times that.
// Phi(x) - 1/2 = x P(x^2), fitted to 4 and constant from there on.
inline Vec gelu_erf_rough(Vec x) {
  const Vec c = minimum(set1(4.0F), maximum(set1(-4.0F), x));
  const Vec t = c * c;
  Vec p = set1(6.81868992e-11F);
  p = fma(p, t, set1(-6.12474202e-09F));
  p = fma(p, t, set1(2.45872219e-07F));
  p = fma(p, t, set1(-5.89055844e-06F));
  p = fma(p, t, set1(9.52348118e-05F));
  p = fma(p, t, set1(-0.00111457148F));
  p = fma(p, t, set1(0.00982146406F));
  p = fma(p, t, set1(-0.066333035F));
  p = fma(p, t, set1(0.398886752F));
  return x * fma(c, p, set1(0.5F));
}

// Ma et al. 2022, with their rounded constants.
inline Vec laplace(Vec x) {
  const Vec z = (x - set1(0.707107F)) / set1(0.282095F);
  const Vec tail = normal_tail(absolute(z));
  return if_less(z, set1(0.0F), tail, set1(1.0F) - tail);
}

// Misra 2019: tanh(log(1 + e)) = n / (n + 2), n = e (e + 2), which is 1 from e^20 on.
inline Vec mish(Vec x) {
  const Vec e = exp(minimum(set1(20.0F), x));
  const Vec n = e * (e + set1(2.0F));
  return x * (n / (n + set1(2.0F)));
}

inline Vec gelu_tanh(Vec x) {
  const Vec inner = set1(2.0F * 0.797884561F) * fma(x * x * x, set1(0.044715F), x);
  return x * sigmoid(inner);
}

// In the order of cpu::Activation.
enum {
  kNone,
  kRelu,
  kGeluErf,
  kGeluTanh,
  kQuickGelu,
  kSilu,
  kTanh,
  kSigmoid,
  kReluSquared,
  kRelu6,
  kLeakyRelu,
  kGelu10,
  kHardSwish,
  kMish,
  kLaplace,
  // Beyond it, what only kernels choose.
  kGeluErfRough,
};

template <int kKind>
inline Vec activation(Vec x) {
  if constexpr (kKind == kRelu) return maximum(set1(0.0F), x);
  if constexpr (kKind == kGeluErf) return gelu_erf(x);
  if constexpr (kKind == kGeluTanh) return gelu_tanh(x);
  if constexpr (kKind == kQuickGelu) return x * sigmoid(set1(1.702F) * x);
  if constexpr (kKind == kSilu) return x * sigmoid(x);
  if constexpr (kKind == kTanh) return tanh(x);
  if constexpr (kKind == kSigmoid) return sigmoid(x);
  if constexpr (kKind == kReluSquared) {
    const Vec positive = maximum(set1(0.0F), x);
    return positive * positive;
  }
  if constexpr (kKind == kRelu6) return minimum(set1(6.0F), maximum(set1(0.0F), x));
  if constexpr (kKind == kLeakyRelu) return maximum(set1(0.01F) * x, x);
  if constexpr (kKind == kGelu10) return minimum(set1(10.0F), gelu_erf(x));
  if constexpr (kKind == kHardSwish) {
    return x * minimum(set1(6.0F), maximum(set1(0.0F), x + set1(3.0F))) * set1(1.0F / 6.0F);
  }
  if constexpr (kKind == kMish) return mish(x);
  if constexpr (kKind == kLaplace) return laplace(x);
  if constexpr (kKind == kGeluErfRough) return gelu_erf_rough(x);
  return x;
}

template <int kKind>
struct Kind {
  static constexpr int value = kKind;
};

// visit(Kind<kind>{}): one switch a call instead of one an element.
template <typename Visit>
inline void with_activation(int kind, Visit visit) {
  switch (kind) {
    case kRelu: return visit(Kind<kRelu>{});
    case kGeluErf: return visit(Kind<kGeluErf>{});
    case kGeluTanh: return visit(Kind<kGeluTanh>{});
    case kQuickGelu: return visit(Kind<kQuickGelu>{});
    case kSilu: return visit(Kind<kSilu>{});
    case kTanh: return visit(Kind<kTanh>{});
    case kSigmoid: return visit(Kind<kSigmoid>{});
    case kReluSquared: return visit(Kind<kReluSquared>{});
    case kRelu6: return visit(Kind<kRelu6>{});
    case kLeakyRelu: return visit(Kind<kLeakyRelu>{});
    case kGelu10: return visit(Kind<kGelu10>{});
    case kHardSwish: return visit(Kind<kHardSwish>{});
    case kMish: return visit(Kind<kMish>{});
    case kLaplace: return visit(Kind<kLaplace>{});
    case kGeluErfRough: return visit(Kind<kGeluErfRough>{});
    default: return visit(Kind<kNone>{});
  }
}

// body(offset, load, store) over the vectors of a row; the last may be partial, its missing lanes read as 0.
template <typename Body>
inline void for_vectors(int64_t count, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    body(
        i, [](const float* p) { return load(p); }, [](float* p, Vec v) { store(p, v); });
  }
  if (i < count) {
    const int64_t rest = count - i;
    body(
        i, [rest](const float* p) { return load_partial(p, rest); },
        [rest](float* p, Vec v) { store_partial(p, v, rest); });
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
