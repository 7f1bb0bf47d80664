// A driver library that behaves as FAKE_DRIVER says: what probes meet in the world, on a machine without any device.
//
// Put under the name of a driver into a folder of LD_LIBRARY_PATH, it is CUDA's, HIP's, Vulkan's, Level Zero's or
// QNN's.
//   present  a device of each kind, in order       old      drivers of a version that is too old
//   none     no device                             failing  the first call fails
//   wrong    copies come back changed              oom      no memory on the device
//   hang     the first call never returns          crash    it ends the process by SIGSEGV
//   killed   by SIGKILL, as the system does when memory runs out
//   chatty   as present, printing all the while
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#define FAKE extern "C" __attribute__((visibility("default")))

namespace {

bool is(std::string_view behaviour) {
  const char* chosen = std::getenv("FAKE_DRIVER");
  return chosen != nullptr && behaviour == chosen;
}

// What the first call of every driver does; true: it fails.
bool begin() {
  if (is("chatty")) std::puts("fake driver: welcome {\"reports\": []}");
  if (is("hang")) {
    while (true) ::pause();
  }
  if (is("crash")) {
    std::fputs("fake driver: about to crash\n", stderr);
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (is("killed")) std::raise(SIGKILL);
  return is("failing");
}

constexpr std::uint64_t kGibibyte = std::uint64_t{1} << 30;
int current_context = 0;

int gpu_init() { return begin() ? 999 : is("none") ? 100 : 0; }

int allocate(std::uintptr_t* address, std::size_t bytes) {
  if (is("oom")) return 2;
  *address = reinterpret_cast<std::uintptr_t>(std::malloc(bytes));
  return 0;
}

int copy_out(void* to, std::uintptr_t from, std::size_t bytes) {
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  if (is("wrong")) static_cast<char*>(to)[bytes / 2] ^= 1;
  return 0;
}

int copy_in(std::uintptr_t to, const void* from, std::size_t bytes) {
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return 0;
}

int release(std::uintptr_t address) {
  std::free(reinterpret_cast<void*>(address));
  return 0;
}

int name_of(char* name, int room, int device) {
  std::snprintf(name, static_cast<std::size_t>(room), "Fake GPU %d", device);
  return 0;
}

int memory_of(std::size_t* bytes) {
  *bytes = 8 * kGibibyte;
  return 0;
}

template <typename T>
int give(T* place, T value) {
  *place = value;
  return 0;
}

}  // namespace

FAKE int cuInit(unsigned) { return gpu_init(); }
FAKE int cuDriverGetVersion(int* version) { return give(version, is("old") ? 11040 : 13020); }
FAKE int cuDeviceGetCount(int* count) { return give(count, 2); }
FAKE int cuDeviceGetName(char* name, int room, int device) { return name_of(name, room, device); }
FAKE int cuDeviceTotalMem_v2(std::size_t* bytes, int) { return memory_of(bytes); }
FAKE int cuDevicePrimaryCtxRetain(void** context, int) { return give<void*>(context, &current_context); }
FAKE int cuCtxSetCurrent(void* context) { return context == &current_context ? 0 : 201; }
FAKE int cuMemAlloc_v2(std::uintptr_t* address, std::size_t bytes) { return allocate(address, bytes); }
FAKE int cuMemcpyHtoD_v2(std::uintptr_t to, const void* from, std::size_t bytes) { return copy_in(to, from, bytes); }
FAKE int cuMemcpyDtoH_v2(void* to, std::uintptr_t from, std::size_t bytes) { return copy_out(to, from, bytes); }
FAKE int cuMemFree_v2(std::uintptr_t address) { return release(address); }

FAKE int hipInit(unsigned) { return gpu_init(); }
FAKE int hipDriverGetVersion(int* version) { return give(version, is("old") ? 50422803 : 60342134); }
FAKE int hipGetDeviceCount(int* count) { return give(count, 1); }
FAKE int hipDeviceGetName(char* name, int room, int device) { return name_of(name, room, device); }
FAKE int hipDeviceTotalMem(std::size_t* bytes, int) { return memory_of(bytes); }
FAKE int hipSetDevice(int) { return 0; }
FAKE int hipMalloc(std::uintptr_t* address, std::size_t bytes) { return allocate(address, bytes); }
FAKE int hipMemcpyHtoD(std::uintptr_t to, const void* from, std::size_t bytes) { return copy_in(to, from, bytes); }
FAKE int hipMemcpyDtoH(void* to, std::uintptr_t from, std::size_t bytes) { return copy_out(to, from, bytes); }
FAKE int hipFree(std::uintptr_t address) { return release(address); }

FAKE int vkCreateInstance(const void* info, const void*, void** instance) {
  if (begin()) return -3;
  if (is("oom")) return -1;
  std::uint32_t type = 0;
  std::memcpy(&type, info, sizeof type);
  return type == 1 ? give<void*>(instance, &current_context) : -3;
}
FAKE int vkEnumeratePhysicalDevices(void*, std::uint32_t* count, void** adapters) {
  if (is("none")) return give(count, std::uint32_t{0});
  adapters[0] = &current_context;
  return give(count, std::uint32_t{1});
}
FAKE void vkGetPhysicalDeviceProperties(void*, char* properties) {
  const std::uint32_t version = 1U << 22 | 3U << 12 | 7U, discrete = 2;
  std::memcpy(properties, &version, sizeof version);
  std::memcpy(properties + 16, &discrete, sizeof discrete);
  std::strcpy(properties + 20, "Fake adapter");
  // The real one is 824 bytes long.
  std::memset(properties + 276, 0x55, 824 - 276);
}
FAKE void vkGetPhysicalDeviceMemoryProperties(void*, char* properties) {
  const std::uint32_t heaps = 2, local = 1;
  const std::uint64_t own = 4 * kGibibyte, host = 16 * kGibibyte;
  std::memcpy(properties + 260, &heaps, sizeof heaps);
  std::memcpy(properties + 264, &own, sizeof own);
  std::memcpy(properties + 272, &local, sizeof local);
  std::memcpy(properties + 280, &host, sizeof host);
}

FAKE std::uint32_t zeInit(std::uint32_t) {
  if (begin()) return 0x7ffffffe;
  return is("none") ? 0x78000001 : is("old") ? 0x78000002 : is("oom") ? 0x70000003 : 0;
}
FAKE std::uint32_t zeDriverGet(std::uint32_t* count, void** drivers) {
  drivers[0] = &current_context;
  *count = 1;
  return 0;
}
FAKE std::uint32_t zeDeviceGet(void*, std::uint32_t* count, void** devices) {
  for (std::uintptr_t device = 0; device < 2; ++device) devices[device] = reinterpret_cast<void*>(device + 1);
  *count = 2;
  return 0;
}
FAKE std::uint32_t zeDeviceGetProperties(void* device, char* properties) {
  std::uint32_t structure = 0;
  std::memcpy(&structure, properties, sizeof structure);
  if (structure != 3) return 0x78000004;
  const std::uint32_t type = reinterpret_cast<std::uintptr_t>(device) == 1 ? 1 : 5;
  const std::uint64_t largest = 2 * kGibibyte;
  std::memcpy(properties + 16, &type, sizeof type);
  std::memcpy(properties + 40, &largest, sizeof largest);
  std::strcpy(properties + 112, type == 1 ? "Fake Intel GPU" : "Fake Intel NPU");
  return 0;
}

namespace {
struct QnnProvider {
  std::uint32_t backend;
  const char* name;
  std::uint32_t core[3], own[3];
};
}  // namespace
FAKE std::uint64_t QnnInterface_getProviders(const QnnProvider* const** providers, std::uint32_t* count) {
  static QnnProvider provider = {6, "HTP_QTI_AISW", {2, 25, 1}, {5, 35, 0}};
  static const QnnProvider* const list[] = {&provider};
  if (begin()) return 1000;
  if (is("old")) provider.core[0] = 1;
  *providers = list;
  *count = is("none") ? 0 : 1;
  return 0;
}
