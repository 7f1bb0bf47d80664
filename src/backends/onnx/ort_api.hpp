// The part of ONNX Runtime's C interface that is used here, so that a build needs nothing of ONNX Runtime.
//
// OrtApi (onnxruntime_c_api.h) is a table of functions. Releases append to it and never move what is there: a place
// found in one header holds for every later library.
#pragma once

#include <cstddef>
#include <cstdint>

namespace accelerate::onnx::ort {

struct Env;
struct Status;
struct MemoryInfo;
struct Session;
struct SessionOptions;
struct RunOptions;
struct Value;
struct IoBinding;
struct Allocator;
struct CudaOptions;
struct TensorRtOptions;

// OrtMIGraphXProviderOptions, which is filled in rather than made by a function.
struct MiGraphXOptions {
  int device_id = 0;
  int fp16_enable = 0;
  int int8_enable = 0;
  int use_native_calibration_table = 0;
  const char* int8_calibration_table_name = nullptr;
  int save_compiled_model = 0;
  const char* save_model_path = nullptr;
  int load_compiled_model = 0;
  const char* load_model_path = nullptr;
  bool exhaustive_tune = false;
  std::size_t reserved[8] = {};  // what later releases read behind it
};

// The interface that is asked for: of release 1.21, the oldest whose table was compared with this one.
constexpr std::uint32_t kApiVersion = 21;

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version) noexcept;  // null where the library is older
  const char* (*get_version_string)() noexcept;
};

// A function of the table: its place, its type.
template <typename Function>
struct Entry {
  std::size_t place;
};

using LogFunction = void (*)(void* param, int severity, const char* category, const char* id, const char* location,
                             const char* message);
using Keys = const char* const*;

inline constexpr Entry<int(const Status*)> kGetErrorCode{1};
inline constexpr Entry<const char*(const Status*)> kGetErrorMessage{2};
inline constexpr Entry<Status*(LogFunction, void* param, int severity, const char* id, Env**)>
    kCreateEnvWithCustomLogger{4};
inline constexpr Entry<Status*(const Env*, const void* model, std::size_t bytes, const SessionOptions*, Session**)>
    kCreateSessionFromArray{8};
inline constexpr Entry<Status*(SessionOptions**)> kCreateSessionOptions{10};
inline constexpr Entry<Status*(SessionOptions*)> kDisableMemPattern{17};
inline constexpr Entry<Status*(SessionOptions*, int level)> kSetSessionGraphOptimizationLevel{23};
inline constexpr Entry<Status*(SessionOptions*, int threads)> kSetIntraOpNumThreads{24};
inline constexpr Entry<Status*(SessionOptions*, int threads)> kSetInterOpNumThreads{25};
inline constexpr Entry<Status*(RunOptions**)> kCreateRunOptions{39};
inline constexpr Entry<Status*(const MemoryInfo*, void* data, std::size_t bytes, const std::int64_t* dims,
                               std::size_t rank, int type, Value**)>
    kCreateTensorWithDataAsOrtValue{49};
inline constexpr Entry<Status*(const char* name, int allocator, int number, int memory, MemoryInfo**)>
    kCreateMemoryInfo{68};
inline constexpr Entry<Status*(int allocator, int memory, MemoryInfo**)> kCreateCpuMemoryInfo{69};
inline constexpr Entry<Status*(Allocator*, void*)> kAllocatorFree{76};
inline constexpr Entry<Status*(Allocator**)> kGetAllocatorWithDefaultOptions{78};
inline constexpr Entry<void(Env*)> kReleaseEnv{92};
inline constexpr Entry<void(Status*)> kReleaseStatus{93};
inline constexpr Entry<void(MemoryInfo*)> kReleaseMemoryInfo{94};
inline constexpr Entry<void(Session*)> kReleaseSession{95};
inline constexpr Entry<void(Value*)> kReleaseValue{96};
inline constexpr Entry<void(RunOptions*)> kReleaseRunOptions{97};
inline constexpr Entry<void(SessionOptions*)> kReleaseSessionOptions{100};
inline constexpr Entry<Status*(char*** names, int* count)> kGetAvailableProviders{125};
inline constexpr Entry<Status*(char** names, int count)> kReleaseAvailableProviders{126};
inline constexpr Entry<Status*(SessionOptions*, const char* key, const char* value)> kAddSessionConfigEntry{130};
inline constexpr Entry<Status*(Session*, const RunOptions*, const IoBinding*)> kRunWithBinding{133};
inline constexpr Entry<Status*(Session*, IoBinding**)> kCreateIoBinding{134};
inline constexpr Entry<void(IoBinding*)> kReleaseIoBinding{135};
inline constexpr Entry<Status*(IoBinding*, const char* name, const Value*)> kBindInput{136};
inline constexpr Entry<Status*(IoBinding*, const char* name, const Value*)> kBindOutput{137};
inline constexpr Entry<Status*(IoBinding*, const char* name, const MemoryInfo*)> kBindOutputToDevice{138};
inline constexpr Entry<Status*(const IoBinding*, Allocator*, Value*** outputs, std::size_t* count)>
    kGetBoundOutputValues{140};
inline constexpr Entry<Status*(SessionOptions*, const char* name, const Value*)> kAddInitializer{150};
inline constexpr Entry<Status*(SessionOptions*, const TensorRtOptions*)> kAppendTensorRt{170};
inline constexpr Entry<Status*(TensorRtOptions**)> kCreateTensorRtOptions{171};
inline constexpr Entry<Status*(TensorRtOptions*, Keys keys, Keys values, std::size_t count)> kUpdateTensorRtOptions{
    172};
inline constexpr Entry<void(TensorRtOptions*)> kReleaseTensorRtOptions{174};
inline constexpr Entry<Status*(SessionOptions*, const CudaOptions*)> kAppendCuda{204};
inline constexpr Entry<Status*(CudaOptions**)> kCreateCudaOptions{205};
inline constexpr Entry<Status*(CudaOptions*, Keys keys, Keys values, std::size_t count)> kUpdateCudaOptions{206};
inline constexpr Entry<void(CudaOptions*)> kReleaseCudaOptions{208};
inline constexpr Entry<Status*(SessionOptions*, const MiGraphXOptions*)> kAppendMiGraphX{209};
inline constexpr Entry<Status*(SessionOptions*, Keys names, const Value* const* values, std::size_t count)>
    kAddExternalInitializers{210};
inline constexpr Entry<Status*(SessionOptions*, const char* provider, Keys keys, Keys values, std::size_t count)>
    kAppendProvider{216};
inline constexpr Entry<Status*(SessionOptions*, Keys keys, Keys values, std::size_t count)> kAppendOpenVino{275};

}  // namespace accelerate::onnx::ort
