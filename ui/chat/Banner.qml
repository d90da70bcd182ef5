// Something is wrong and stays wrong: one sentence over the whole page.
// qmllint disable unqualified
import QtQuick
import Paluku
import PalukuApp

Loader {
    id: banner

    required property Notices notices

    active: notices.bannerText.length > 0
    visible: active
    sourceComponent: InlineError {
        text: banner.notices.bannerText
        action: banner.notices.bannerAction
        closable: true
        onActed: banner.notices.act()
        onClosed: banner.notices.dismissBanner()
    }
}
