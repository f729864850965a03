// Boost, for this folder: the only file that includes it.
#pragma once

// First: asio of Boost 1.74 uses std::exchange without including it.
#include <utility>

// Beast 1.74 asserts what a client decides: that the empty line after the last chunk does not come byte by byte.
#define BOOST_DISABLE_ASSERTS

// The thread sanitizer does not follow fences, and GCC warns of them. One thread has the sockets, and its queue a lock.
#ifdef __SANITIZE_THREAD__
#define BOOST_ASIO_DISABLE_FENCED_BLOCK
#endif

#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace unroll {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace unroll
