// An HTTP server that answers a constant: what Beast with coroutines on one thread can do, with no work behind it.
#pragma once

namespace perdure::bench {

/// Serves keep-alive connections on 127.0.0.1:port, every request answered 200 with a short JSON document, until
/// SIGTERM.
void serve_constant(unsigned short port);

}  // namespace perdure::bench
