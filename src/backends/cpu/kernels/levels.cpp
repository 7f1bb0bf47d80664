// Which levels there are, and which one is used.
#include <array>
#include <cstdlib>
#include <iterator>
#include <string>

#include "backends/cpu/kernels.hpp"
#include "backends/cpu/kernels/level.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace accelerate::cpu {
namespace {

#if defined(__x86_64__)
// Clang 14's __builtin_cpu_supports does not know this one.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

// Linux saves the matrix unit's registers only for processes that have asked for it
// (Documentation/arch/x86/xstate.rst).
bool may_use_amx() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  constexpr unsigned kBf16 = 1U << 22, kTile = 1U << 24, kInt8 = 1U << 25, kAll = kBf16 | kTile | kInt8;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kAll) == kAll &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

// Processor and operating system both: __builtin_cpu_supports looks at XCR0 for the AVX registers.
bool find_on_machine(Level level) {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (level == Level::avx2) return avx2;
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (level == Level::avx512) return avx512;
  const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
  if (level == Level::avx512_vnni) return vnni;
  const bool bf16 = vnni && __builtin_cpu_supports("avx512bf16");
  if (level == Level::avx512_bf16) return bf16;
  if (level == Level::amx) return bf16 && may_use_amx();
#elif defined(__aarch64__)
  if (level == Level::neon) return true;
#endif
  return level == Level::portable;
}

constexpr Level kLevels[] = {Level::portable,    Level::neon,        Level::avx2, Level::avx512,
                             Level::avx512_vnni, Level::avx512_bf16, Level::amx};

// Asked once: in a virtual machine each question about the processor takes microseconds.
bool machine_has(Level level) {
  static const auto found = [] {
    std::array<bool, std::size(kLevels)> each{};
    for (const Level one : kLevels) each.at(static_cast<std::size_t>(one)) = find_on_machine(one);
    return each;
  }();
  return found.at(static_cast<std::size_t>(level));
}

std::string names_of_supported() {
  std::string names;
  for (const Level level : supported_levels()) names += (names.empty() ? "" : ", ") + std::string(name_of(level));
  return names;
}

}  // namespace

std::string_view name_of(Level level) {
  switch (level) {
    case Level::portable: return "portable";
    case Level::neon: return "neon";
    case Level::avx2: return "avx2";
    case Level::avx512: return "avx512";
    case Level::avx512_vnni: return "avx512_vnni";
    case Level::avx512_bf16: return "avx512_bf16";
    case Level::amx: return "amx";
  }
  return "unknown";
}

std::vector<Level> supported_levels() {
  std::vector<Level> levels;
  for (const Level level : kLevels) {
    if (machine_has(level)) levels.push_back(level);
  }
  return levels;
}

Level current_level() {
  const char* forced = std::getenv("ACCELERATE_CPU_LEVEL");
  if (forced == nullptr || *forced == '\0') return supported_levels().back();
  for (const Level level : kLevels) {
    if (name_of(level) != forced) continue;
    kernels(level);
    return level;
  }
  std::string names;
  for (const Level level : kLevels) names += (names.empty() ? "" : ", ") + std::string(name_of(level));
  throw Error(ErrorKind::invalid_input, "found \"" + std::string(forced) + "\", expected one of " + names,
              "ACCELERATE_CPU_LEVEL");
}

const Kernels& kernels(Level level) {
  if (!machine_has(level)) {
    throw Error(ErrorKind::unsupported,
                "this machine has no " + std::string(name_of(level)) + "; it has " + names_of_supported(), "cpu level");
  }
  static constexpr Kernels portable(Level::portable, detail::kPortableTable);
#if defined(__x86_64__)
  static constexpr Kernels avx2(Level::avx2, detail::kAvx2Table), avx512(Level::avx512, detail::kAvx512Table);
  if (level == Level::avx2) return avx2;
  static constexpr Kernels vnni(Level::avx512_vnni, detail::kAvx512VnniTable);
  static constexpr Kernels bf16(Level::avx512_bf16, detail::kAvx512Bf16Table), amx(Level::amx, detail::kAmxTable);
  if (level == Level::avx512) return avx512;
  if (level == Level::avx512_vnni) return vnni;
  if (level == Level::avx512_bf16) return bf16;
  if (level == Level::amx) return amx;
#elif defined(__aarch64__)
  static constexpr Kernels neon(Level::neon, detail::kNeonTable);
  if (level == Level::neon) return neon;
#endif
  return portable;
}

}  // namespace accelerate::cpu
