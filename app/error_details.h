// The reason inside an Error, its detail, in the language of the interface. Engine and storage
// write details in English, for terminals and logs; this table knows their words. Interface thread.
#pragma once

#include <QString>

namespace paluku {

// `detail` in the language of the interface: names, keys and figures stay, known reasons are
// translated. Empty when this language has no words for it: then leave the reason out.
QString errorDetail(const QString& detail);

}  // namespace paluku
