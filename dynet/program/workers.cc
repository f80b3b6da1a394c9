// Forking workers, and taking turns at what they share.
#include "dynet/program/workers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <numeric>

#include "dynet/params/init.h"
#include "dynet/program/mp.h"
#include "dynet/program/options.h"

namespace dynet::mp {

using namespace engine;

SharedMemory::SharedMemory(size_t bytes) : bytes_(bytes + 1) {
  start_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (start_ == MAP_FAILED)
    throw out_of_memory(text("out of memory: ", bytes, " shared bytes were asked for"));
}

SharedMemory::~SharedMemory() { munmap(start_, bytes_); }

std::vector<Workload> create_workloads(unsigned num_children) {
  std::vector<Workload> workloads(num_children);
  for (Workload& w : workloads)
    if (pipe(w.c2p) < 0 || pipe(w.p2c) < 0) failed("create_workloads: no pipe: ", std::strerror(errno));
  return workloads;
}

unsigned spawn_children(std::vector<Workload>& workloads) {
  std::cout.flush(), std::fflush(nullptr);  // or each child would write what waits, too
  const uint32_t seed = (*rndeng)();
  for (unsigned child = 0; child < workloads.size(); ++child) {
    const pid_t pid = fork();
    if (pid < 0) failed("spawn_children: no process: ", std::strerror(errno));
    workloads[child].pid = pid;
    if (pid > 0) continue;
    reset_rng(std::max(1u, seed + child));
    share_new_buffers(false);
    for (const auto& s : shared_storages()) {
      s->gradient.replace(Buffer(s->size()));
      s->gradient_moved();
    }
    return child;
  }
  return static_cast<unsigned>(workloads.size());
}

int cleanup(std::vector<Workload>& workloads) {
  int bad = 0;
  for (Workload& w : workloads) {
    int status = 0;
    while (w.pid > 0 && waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) bad = status;
    for (int end : {w.c2p[0], w.c2p[1], w.p2c[0], w.p2c[1]})
      if (end >= 0) close(end);
    w = {};
  }
  for (const auto& s : shared_storages()) s->changed();
  return bad;
}

/// The time in which one worker has what all share. A lock on a file ends with its process, however that
/// ends.
struct Workers::Turn {
  explicit Turn(int file) : file_(file) { set(F_WRLCK); }
  ~Turn() { set(F_UNLCK); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  void set(short kind) {
    struct flock lock{};
    lock.l_type = kind, lock.l_whence = SEEK_SET;
    while (fcntl(file_, F_SETLKW, &lock) < 0 && errno == EINTR) {
    }
  }
  int file_;
};

Workers::Workers(unsigned count, Trainer* trainer)
    : count_(count),
      trainer_(trainer),
      storages_(shared_storages()),
      state_memory_(sizeof(State)),
      state_(new (&state_memory_.at<State>(0)) State{}),
      decay_factors_(sizeof(real) * storages_.size()),
      own_factors_(storages_.size()) {
  if (storages_.empty())
    failed(
        "no parameters are shared between processes; call initialize(argc, argv, true) before making them");
  if (trainer && trainer->moving_average() != MovingAverage::None)
    failed("moving averages are not possible with several processes");
  if (trainer) trainer->allocate();
  store_progress();
  std::FILE* file = std::tmpfile();
  if (file) lock_file_ = dup(fileno(file)), std::fclose(file);
  if (lock_file_ < 0) failed("no temporary file could be made: ", std::strerror(errno));
}

Workers::~Workers() { close(lock_file_); }

void Workers::run(const std::function<void(unsigned)>& work) {
  std::cout.flush(), std::cerr.flush(), std::fflush(nullptr);  // or each worker would write it again
  for (const auto& s : storages_)
    s->gradient.numbers();  // zeros that are due are written before there are others
  std::vector<pid_t> children;
  const uint32_t seed = (*rndeng)();
  for (unsigned child = 0; child < count_; ++child) {
    const pid_t pid = fork();
    if (pid < 0) {
      keep_error(std::strerror(errno));
      break;
    }
    if (pid > 0) {
      children.push_back(pid);
      continue;
    }
    try {
      reset_rng(std::max(1u, seed + child));
      begin();
      work(child);
    } catch (const std::exception& error) {
      keep_error(error.what());
    } catch (...) {
      keep_error("an exception of unknown type");
    }
    std::cout.flush(), std::fflush(nullptr);
    _exit(0);
  }
  for (pid_t child : children) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status)) keep_error(text("it was ended by signal ", WTERMSIG(status)).c_str());
  }
  end();
  if (state_->has_error) failed("a worker process failed: ", state_->error);
}

void Workers::begin() {
  share_new_buffers(false);
  for (const auto& s : storages_) {
    shared_gradients_.push_back(s->gradient.replace(Buffer(s->size())));
    s->gradient_moved();
  }
}

void Workers::see_values() {
  for (const auto& s : storages_) s->changed();
}

void Workers::update() {
  const Turn turn(lock_file_);
  load_progress();
  trainer_->update();
  store_progress();
}

void Workers::add_gradients() {
  const Turn turn(lock_file_);
  for (size_t i = 0; i < storages_.size(); ++i) {
    const Buffer& own = storages_[i]->gradient;
    if (storages_[i]->nonzero)
      chosen_engine().add_scaled(own.size(), 1, own.data(), shared_gradients_[i].data());
  }
}

void Workers::take_gradients() {
  for (const auto& s : storages_) s->gradient_written();
}

void Workers::keep_error(const char* message) {
  if (state_->has_error.exchange(true)) return;
  std::strncpy(state_->error, message, sizeof(state_->error) - 1);
}

void Workers::store_progress() {
  if (trainer_) state_->progress = trainer_->progress();
  for (size_t i = 0; i < storages_.size(); ++i)
    decay_factors_.at<real>(i) = own_factors_[i] = storages_[i]->decay_factor;
}

/// What this process has multiplied into the values since is left out of the factor that all share.
void Workers::load_progress() {
  if (trainer_) trainer_->set_progress(state_->progress);
  for (size_t i = 0; i < storages_.size(); ++i) {
    real& factor = storages_[i]->decay_factor;
    factor = own_factors_[i] = decay_factors_.at<real>(i) * (factor / own_factors_[i]);
  }
}

std::vector<unsigned> all_places(size_t n) {
  std::vector<unsigned> places(n);
  std::iota(places.begin(), places.end(), 0u);
  return places;
}

std::string elapsed_time_string(const timespec& start, const timespec& end) {
  const auto seconds = static_cast<long>(end.tv_sec - start.tv_sec) - (end.tv_nsec < start.tv_nsec);
  std::string result;
  for (const auto& [size, unit] : {std::pair{3600L, "h"}, {60L, "m"}, {1L, "s"}}) {
    const long n = size == 3600 ? seconds / 3600 : seconds % (size * 60) / size;
    if (n > 0 || !result.empty() || size == 1)
      result += (n < 10 && !result.empty() ? "0" : "") + std::to_string(n) + unit;
  }
  return result;
}

}  // namespace dynet::mp
