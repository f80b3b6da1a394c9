// The processes of a communicator of MPI, which send each other bytes.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <climits>
#include <numeric>
#include <vector>

#include "dynet/core/error.h"
#include "dynet/train/peers.h"

namespace dynet::mpi {

/// Messages of a communicator that nobody else uses.
class Communicator {
 public:
  explicit Communicator(MPI_Comm comm) { MPI_Comm_dup(comm, &comm_); }
  ~Communicator() {
    int ended = 0;
    MPI_Finalized(&ended);
    if (!ended) MPI_Comm_free(&comm_);
  }
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  operator MPI_Comm() const { return comm_; }

  unsigned rank() const {
    int rank = 0;
    MPI_Comm_rank(comm_, &rank);
    return static_cast<unsigned>(rank);
  }
  unsigned size() const {
    int size = 0;
    MPI_Comm_size(comm_, &size);
    return static_cast<unsigned>(size);
  }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
};

class Peers : public engine::Peers {
 public:
  explicit Peers(const Communicator& comm) : engine::Peers(comm.rank(), comm.size()), comm_(comm) {}

  void exchange(unsigned peer, std::span<const std::byte> send, std::span<std::byte> receive) override {
    constexpr size_t most = size_t{1} << 30;  // of bytes that MPI counts with an int
    const int to = static_cast<int>(peer);
    for (size_t at = 0; at < std::max({send.size(), receive.size(), size_t{1}}); at += most) {
      const auto out = send.subspan(std::min(at, send.size()));
      const auto in = receive.subspan(std::min(at, receive.size()));
      MPI_Sendrecv(out.data(), static_cast<int>(std::min(out.size(), most)), MPI_BYTE, to, 0, in.data(),
                   static_cast<int>(std::min(in.size(), most)), MPI_BYTE, to, 0, comm_, MPI_STATUS_IGNORE);
    }
  }

  std::vector<engine::Bytes> gather(std::span<const std::byte> own) override {
    if (own.size() > INT_MAX) engine::failed("gather: ", own.size(), " bytes are more than MPI can count");
    const int size = static_cast<int>(own.size());
    std::vector<int> sizes(count), begins(count);
    MPI_Allgather(&size, 1, MPI_INT, sizes.data(), 1, MPI_INT, comm_);
    const auto total = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
    if (total > INT_MAX) engine::failed("gather: ", total, " bytes are more than MPI can count");
    std::exclusive_scan(sizes.begin(), sizes.end(), begins.begin(), 0);
    engine::Bytes bytes(total + 1);
    MPI_Allgatherv(own.data(), size, MPI_BYTE, bytes.data(), sizes.data(), begins.data(), MPI_BYTE, comm_);
    std::vector<engine::Bytes> all;
    for (unsigned i = 0; i < count; ++i)
      all.emplace_back(bytes.begin() + begins[i], bytes.begin() + begins[i] + sizes[i]);
    return all;
  }

  /// What process 0 has, which all others know the size of.
  void broadcast(std::span<std::byte> bytes) const {
    constexpr size_t most = size_t{1} << 30;
    for (size_t at = 0; at < bytes.size(); at += most)
      MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(bytes.size() - at, most)), MPI_BYTE, 0, comm_);
  }

  /// Ends all processes with one message: they would wait for this one for ever.
  [[noreturn]] void abort(const char* why) const {
    std::fprintf(stderr, "dynet::mpi: process %u of %u failed: %s; the job ends\n", rank, count, why);
    std::fflush(stderr);
    MPI_Abort(comm_, 1);
    std::abort();
  }

 private:
  const Communicator& comm_;
};

}  // namespace dynet::mpi
