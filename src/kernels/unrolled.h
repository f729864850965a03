// UNROLLED(n) before a loop asks the compiler to unroll it n times; not with the address sanitizer, whose checks of
// each access make an unrolled tile take minutes to compile.
#pragma once

#define UNROLL_KERNELS_PRAGMA(text) _Pragma(#text)
#if defined(__SANITIZE_ADDRESS__)
#define UNROLLED(n)
#else
#define UNROLLED(n) UNROLL_KERNELS_PRAGMA(GCC unroll n)
#endif
