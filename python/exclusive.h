// Objects of the library that are not for two threads at once, under Python, where any thread may call them.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "unroll/error.h"

namespace unroll {

// Owns a T that one thread at a time uses while other threads of Python run.
//
// A process that was forked has none of the threads that a T keeps for its work: there, a new T is made.
template <class T>
class Exclusive {
 public:
  using Make = std::function<std::unique_ptr<T>()>;

  // `make` is called now, and later without the interpreter's lock; `name` is what messages call the object.
  Exclusive(std::string name, Make make) : name_(std::move(name)), make_(std::move(make)), object_(make_()) {}

  ~Exclusive() {
    if (::getpid() != process_) static_cast<void>(object_.release());
  }
  Exclusive(const Exclusive&) = delete;
  Exclusive& operator=(const Exclusive&) = delete;

  // Returns use(object), called without the interpreter's lock, which must be held. Throws Error{kUsage} within `use`.
  template <class Use>
  auto use(const Use& use) {
    if (user_.load() == std::this_thread::get_id()) {
      throw Error(ErrorCode::kUsage,
                  "this " + name_ + " is at work: it cannot be called from what runs within its call");
    }
    const pybind11::gil_scoped_release unlocked;
    const std::scoped_lock lock(mutex_);
    const User user(user_);
    if (!object_ || ::getpid() != process_) renew();
    return use(*object_);
  }

  // Gives the object up: the next call uses a new one. Requires the interpreter's lock, which it lets go meanwhile: who
  // uses the object may be waiting for it.
  void forget() {
    const pybind11::gil_scoped_release unlocked;
    const std::scoped_lock lock(mutex_);
    object_.reset();
  }

 private:
  // Notes who holds the lock.
  class User {
   public:
    explicit User(std::atomic<std::thread::id>& user) : user_(user) { user_.store(std::this_thread::get_id()); }
    ~User() { user_.store({}); }
    User(const User&) = delete;
    User& operator=(const User&) = delete;

   private:
    std::atomic<std::thread::id>& user_;
  };

  void renew() {
    if (::getpid() != process_) static_cast<void>(object_.release());  // its destructor would wait for its threads
    process_ = ::getpid();
    object_ = make_();
  }

  std::string name_;
  Make make_;
  pid_t process_ = ::getpid();
  std::unique_ptr<T> object_;
  std::mutex mutex_;
  std::atomic<std::thread::id> user_{};
};

}  // namespace unroll
