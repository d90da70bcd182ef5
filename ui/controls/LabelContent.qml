// What stands inside buttons and rows: an icon, words, perhaps an icon after them.
import QtQuick
import Paluku

Item {
    id: content

    property string iconName: ""
    property string endIcon: ""
    property string text: ""
    property color color: Theme.ink
    property TypeRole role: Theme.ui
    property int elide: Text.ElideRight
    property bool centred: false
    property int spacing: Theme.s8
    property int endRoom: 0
    readonly property int beforeWords: iconName.length > 0 ? Theme.icon + spacing : 0
    readonly property int afterWords: endIcon.length > 0 ? Theme.icon + spacing : 0

    implicitWidth: beforeWords + words.implicitWidth + afterWords + endRoom
    implicitHeight: words.implicitHeight

    Icon {
        x: words.x - content.beforeWords
        anchors.verticalCenter: parent.verticalCenter
        visible: content.iconName.length > 0
        icon: content.iconName
        color: content.color
    }
    UiText {
        id: words

        x: content.beforeWords + (content.centred ? (content.width - content.beforeWords - content.afterWords - width) / 2 : 0)
        anchors.verticalCenter: parent.verticalCenter
        width: Math.min(implicitWidth, content.width - content.beforeWords - content.afterWords - content.endRoom)
        elide: content.elide
        role: content.role
        color: content.color
        text: content.text
    }
    Icon {
        x: words.x + words.width + content.spacing
        anchors.verticalCenter: parent.verticalCenter
        visible: content.endIcon.length > 0
        icon: content.endIcon
        color: content.color
    }
}
