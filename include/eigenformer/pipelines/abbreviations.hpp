// SPDX-License-Identifier: MIT
/// Words that tell whether a full stop ends a sentence: English, French, German, Spanish, and the
/// most frequent of Russian, Italian and Portuguese.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace eigenformer::inline v0::pipelines {

/// Before what the full stop after a word also ends the sentence.
enum class FullStop : std::uint8_t {
  never,    ///< something always follows: a title
  starter,  ///< a word that often starts sentences: "Inc. The", but "Inc. Chairman"
  letter,   ///< any word, but no number: "No. He", but "No. 5"
  always,   ///< anything: an ordinary word
};

namespace detail {

// The lists are in the order of their bytes, which the test checks. ASCII letters of abbreviations
// are in lower case, others as they are written.

inline constexpr auto never_ending = std::to_array<std::string_view>({
    // clang-format off
    "abzgl", "adm", "approx", "brig", "bspw", "bzw", "ca", "capt", "cf", "cfr", "cmdr", "cpl",
    "dipl", "dr", "dra", "dras", "dres", "drs", "dña", "ee", "einschl", "env", "evtl", "excma",
    "excmo", "exkl", "frl", "geb", "gebr", "gest", "ggf", "ggü", "hl", "hr", "hrn", "ilma", "ilmo",
    "incl", "inkl", "insb", "insbes", "lt", "maj", "messrs", "mgr", "mlle", "mlles", "mm", "mme",
    "mmes", "mr", "mrs", "ms", "msgr", "prof", "resp", "rev", "rvda", "rvdo", "sgt", "sog", "sr",
    "sra", "sras", "sres", "srs", "srta", "srtas", "ste", "supt", "vgl", "viz", "vs", "zzgl",
    "Акад", "Напр", "Проф", "См", "Ср", "Тов", "акад", "напр", "просп", "проф", "см", "ср", "тов",
    "ул",
    // clang-format on
});

inline constexpr auto ending_before_starters = std::to_array<std::string_view>({
    // clang-format off
    "anm", "ap", "apr", "aufl", "ausg", "av", "ave", "bd", "bde", "bhf", "blvd", "bros", "bsp",
    "chap", "chr", "cie", "co", "col", "corp", "cía", "dept", "diss", "ed", "edit", "eds", "fig",
    "figs", "gen", "gov", "gral", "hrsg", "inc", "jg", "jh", "jhd", "jr", "lfd", "ltd", "max",
    "mio", "mrd", "mt", "mto", "ph", "pl", "pres", "prov", "pte", "pvt", "rd", "rep", "sen", "snr",
    "st", "sta", "std", "sto", "str", "suppl", "trad", "tsd", "univ", "uu", "vols", "vorm", "wg",
    "zit", "zw", "éd", "éds", "гг", "гр", "им", "млн", "млрд", "обл", "руб", "тыс",
    // clang-format on
});

inline constexpr auto ending_before_letters = std::to_array<std::string_view>({
    // clang-format off
    "abb", "abs", "al", "app", "art", "arts", "aug", "avr", "bl", "bzgl", "cap", "dec", "déc", "eq",
    "etc", "ets", "feb", "ff", "fn", "févr", "gl", "jan", "janv", "juil", "jul", "jun", "kap",
    "lib", "lit", "mar", "min", "no", "nos", "nov", "nr", "nrn", "num", "nums", "nº", "núm", "núms",
    "oct", "okt", "pag", "pp", "pág", "págs", "rdnr", "rn", "sec", "sep", "sept", "sp", "stk",
    "tab", "taf", "tav", "tel", "tit", "tom", "tomo", "usf", "usw", "ver", "vers", "vol", "zif",
    "ziff", "др", "пр", "рис", "стр", "табл",
    // clang-format on
});

/// Words that begin sentences far more often than names.
inline constexpr auto sentence_starters = std::to_array<std::string_view>({
    // clang-format off
    "A", "Aber", "After", "All", "Alle", "Allerdings", "Alors", "Als", "Also", "Although", "Am",
    "An", "And", "Another", "Après", "As", "At", "Au", "Auch", "Auf", "Aunque", "Aus", "Aussi",
    "Aux", "Avant", "Avec", "Because", "Before", "Bei", "Both", "But", "By", "Ce", "Cela", "Ces",
    "Cet", "Cette", "Chaque", "Comme", "Como", "Con", "Cuando", "Da", "Dabei", "Daher", "Damit",
    "Dann", "Dans", "Das", "Denn", "Depuis", "Der", "Des", "Desde", "Deshalb", "Despite", "Después",
    "Die", "Dies", "Diese", "Dieser", "Dieses", "Do", "Doch", "Does", "Donc", "Due", "Durante",
    "Durch", "During", "Each", "Ein", "Eine", "Einem", "Einen", "Einer", "Einige", "El", "Ella",
    "Elle", "Elles", "Ellos", "En", "Entonces", "Er", "Es", "Esa", "Ese", "Esta", "Estas", "Este",
    "Esto", "Estos", "Et", "Even", "Every", "For", "From", "Für", "Gli", "Had", "Has", "He", "Her",
    "Here", "Hier", "His", "How", "However", "I", "Ich", "If", "Ihr", "Ihre", "Il", "Ils", "Im",
    "In", "It", "Its", "Je", "Jedoch", "La", "Las", "Le", "Les", "Leur", "Leurs", "Lorsque", "Los",
    "Mais", "Man", "Many", "Mehr", "Mein", "Mes", "Mit", "Mon", "More", "Most", "My", "Même",
    "Nach", "Nachdem", "Neither", "Nevertheless", "Nicht", "No", "Not", "Notre", "Nous", "Now",
    "Nur", "Obwohl", "On", "Once", "One", "Only", "Or", "Other", "Ou", "Our", "Para", "Parce",
    "Pero", "Por", "Porque", "Pour", "Puis", "Quand", "Que", "Qui", "Sa", "Se", "Sein", "Seine",
    "Seit", "Selon", "Ses", "She", "Si", "Sie", "Since", "So", "Some", "Son", "Sous", "Su", "Such",
    "Sur", "Sus", "También", "That", "The", "Their", "Then", "There", "Therefore", "These", "They",
    "This", "Those", "Though", "Through", "Thus", "To", "Today", "Tous", "Tout", "Tras", "Trotz",
    "Um", "Un", "Una", "Und", "Under", "Une", "Unlike", "Uno", "Unter", "Until", "Viele", "Vom",
    "Von", "Vor", "Vous", "Was", "We", "Weil", "Wenn", "Wer", "Were", "What", "When", "Where",
    "Whether", "Which", "While", "Who", "Why", "Wie", "Wir", "With", "Without", "Während", "Y",
    "You", "Your", "Zu", "Zum", "Zur", "À", "Ça", "Él", "Était", "Été", "Über", "А", "Без", "Более",
    "Был", "Была", "Были", "В", "Во", "Все", "Для", "До", "Его", "Если", "Ещё", "За", "И", "Из",
    "Их", "К", "Как", "Когда", "Кто", "Мы", "На", "Не", "Но", "Он", "Она", "Они", "Оно", "От", "По",
    "Под", "После", "При", "С", "Сейчас", "Так", "Также", "Там", "То", "У", "Эта", "Эти", "Это",
    "Этот", "Я",
    // clang-format on
});

/// The same before an apostrophe.
inline constexpr auto elided_starters = std::to_array<std::string_view>({
    // clang-format off
    "Aujourd", "C", "J", "L", "Lorsqu", "N", "Qu", "S",
    // clang-format on
});

/// Starters that also begin a family name or are an initial: "J. Le Goff".
inline constexpr auto name_particles = std::to_array<std::string_view>({
    // clang-format off
    "Da", "Des", "I", "La", "Las", "Le", "Los", "Man", "So", "Su", "Von", "Zu", "Zum", "Zur",
    // clang-format on
});

/// German words before an ordinal: "der 3. Platz".
inline constexpr auto before_ordinals = std::to_array<std::string_view>({
    // clang-format off
    "ab", "am", "beim", "bis", "das", "dem", "den", "der", "des", "die", "dies", "dieser", "eine",
    "einem", "einen", "einer", "ihr", "ihre", "ihrem", "ihren", "ihrer", "im", "ins", "jedem",
    "jeden", "jeder", "mein", "sein", "seine", "seinem", "seinen", "seiner", "seit", "unser",
    "unserem", "unseren", "vom", "zum", "zur",
    // clang-format on
});

/// What a German ordinal may come before without one of those.
inline constexpr auto after_ordinals = std::to_array<std::string_view>({
    // clang-format off
    "April", "August", "Dezember", "Etage", "Februar", "Geburtstag", "Jahrhundert", "Jahrhunderts",
    "Jahrtausend", "Januar", "Jh", "Juli", "Juni", "Jänner", "Klasse", "Liga", "Mai", "März",
    "November", "Oktober", "September", "Stock", "Weltkrieg",
    // clang-format on
});

template <std::size_t count>
constexpr bool holds(const std::array<std::string_view, count>& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word);
}

}  // namespace detail

/// What the lists say of a word, in any case, that has a full stop after it.
constexpr FullStop find_abbreviation(std::string_view word) {
  std::array<char, 12> lower{};
  if (word.size() > lower.size()) word = {};
  for (std::size_t i = 0; i < word.size(); ++i) {
    lower[i] = word[i] >= 'A' && word[i] <= 'Z' ? static_cast<char>(word[i] - 'A' + 'a') : word[i];
  }
  const std::string_view key(lower.data(), word.size());
  if (detail::holds(detail::never_ending, key)) return FullStop::never;
  if (detail::holds(detail::ending_before_starters, key)) return FullStop::starter;
  if (detail::holds(detail::ending_before_letters, key)) return FullStop::letter;
  return FullStop::always;
}

}  // namespace eigenformer::inline v0::pipelines
