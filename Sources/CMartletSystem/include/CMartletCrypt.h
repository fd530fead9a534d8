#pragma once

// crypt_r: Swift's Glibc module leaves <crypt.h> out.
#include <crypt.h>
