// UNROLLED(n) before a loop asks the compiler to unroll it n times. Not where the address sanitizer checks each access:
// an unrolled tile then takes minutes to compile.
#pragma once

#define UNROLL_KERNELS_PRAGMA(text) _Pragma(#text)
#if defined(__SANITIZE_ADDRESS__)
#define UNROLLED(n)
#else
#define UNROLLED(n) UNROLL_KERNELS_PRAGMA(GCC unroll n)
#endif
