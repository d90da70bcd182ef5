#include "engine/base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <mutex>

namespace paluku {
namespace {

// What the SIGBUS handler knows of each mapping. Plain atomics: the handler may run on any thread,
// at any time.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> damaged{false};
};
constexpr int kSlots = 1024;  // a model may be spread over 512 files
std::array<Slot, kSlots> slots;
std::mutex slots_mutex;
struct sigaction previous_action;

// Puts a page of zeros where the file lost one. mmap is a bare system call, safe inside a handler.
bool PatchLostPage(std::uintptr_t address) {
  for (Slot& slot : slots) {
    const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
    if (begin == 0 || address < begin || address >= slot.end.load(std::memory_order_acquire))
      continue;
    const std::uintptr_t page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    // A fault gives an address, not a pointer. NOLINTNEXTLINE(performance-no-int-to-ptr)
    void* at = reinterpret_cast<void*>(address & ~(page - 1));
    slot.damaged.store(true, std::memory_order_release);
    return mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
  }
  return false;
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool patched = PatchLostPage(reinterpret_cast<std::uintptr_t>(info->si_addr));
  errno = saved_errno;
  if (patched) return;
  if ((previous_action.sa_flags & SA_SIGINFO) != 0 && previous_action.sa_sigaction != nullptr) {
    previous_action.sa_sigaction(signal, info, context);
    return;
  }
  sigaction(SIGBUS, &previous_action, nullptr);  // not ours: fault again under the former action
}

void InstallHandlerOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction action = {};
    action.sa_sigaction = OnBusError;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &previous_action);
  });
}

int Register(const void* data, std::size_t size) {
  InstallHandlerOnce();
  const std::scoped_lock lock(slots_mutex);
  for (int i = 0; i < kSlots; ++i) {
    if (slots[i].begin.load() != 0) continue;
    const auto begin = reinterpret_cast<std::uintptr_t>(data);
    slots[i].damaged.store(false);
    slots[i].end.store(begin + size);
    slots[i].begin.store(begin, std::memory_order_release);
    return i;
  }
  return -1;
}

// Closes the descriptor on every way out; the mapping stays valid without it.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  const Descriptor descriptor{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (descriptor.fd < 0) return tl::unexpected(ErrorFromErrno(errno, path));
  struct stat status = {};
  if (fstat(descriptor.fd, &status) != 0) return tl::unexpected(ErrorFromErrno(errno, path));
  if (!S_ISREG(status.st_mode)) return Fail(ErrorCode::kNotARegularFile, path);
  if (status.st_size == 0) return Fail(ErrorCode::kFileEmpty, path);

  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.fd, 0);
  if (data == MAP_FAILED) return tl::unexpected(ErrorFromErrno(errno, path));
  file->data_ = static_cast<const std::byte*>(data);
  file->size_ = size;
  file->slot_ = Register(data, size);
  if (file->slot_ < 0) return Fail(ErrorCode::kLimitExceeded, path, "too many files are mapped");
  return file;
}

MappedFile::~MappedFile() {
  if (slot_ >= 0) slots[slot_].begin.store(0, std::memory_order_release);
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::ReleasePages() const {
  madvise(const_cast<std::byte*>(data_), size_, MADV_DONTNEED);
}

bool MappedFile::damaged() const { return slots[slot_].damaged.load(std::memory_order_acquire); }

}  // namespace paluku
