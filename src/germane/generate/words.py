"""The few words that a layout itself says, by language."""

from __future__ import annotations

from germane.domain.content import locales_for

_WORDS: dict[str, tuple[str, str, str]] = {
    "en": ("Unsubscribe", "Why am I seeing this?", "View in the browser"),
    "de": ("Abbestellen", "Warum bekomme ich das?", "Im Browser ansehen"),
    "fr": ("Se désabonner", "Pourquoi ce message ?", "Voir dans le navigateur"),
    "es": ("Darse de baja", "¿Por qué recibo esto?", "Ver en el navegador"),
    "it": ("Annulla l'iscrizione", "Perché ricevo questo messaggio?", "Apri nel browser"),
    "nl": ("Afmelden", "Waarom krijg ik dit?", "Bekijk in de browser"),
    "pt": ("Cancelar subscrição", "Porque recebo isto?", "Ver no navegador"),
    "sv": ("Avsluta prenumerationen", "Varför får jag det här?", "Visa i webbläsaren"),
    "da": ("Afmeld", "Hvorfor får jeg dette?", "Vis i browseren"),
    "pl": ("Wypisz się", "Dlaczego to dostaję?", "Zobacz w przeglądarce"),
    "cs": ("Odhlásit odběr", "Proč mi to přišlo?", "Zobrazit v prohlížeči"),
    "ar": ("إلغاء الاشتراك", "لماذا وصلتني هذه الرسالة؟", "عرض في المتصفح"),
    "he": ("הסרה מרשימת התפוצה", "למה קיבלתי את זה?", "הצגה בדפדפן"),
}


def words(tag: str) -> tuple[str, str, str]:
    """Unsubscribe, why, view: in the nearest language that there is, else English."""
    for name in locales_for(tag):
        if name in _WORDS:
            return _WORDS[name]
    return _WORDS["en"]
