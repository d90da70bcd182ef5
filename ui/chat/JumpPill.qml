// Back to the newest words, when the reader has left them. A dot says that unseen text has come.
import QtQuick
import QtQuick.Templates as T
import Paluku

T.Button {
    id: pill

    property bool news: false

    hoverEnabled: true
    leftPadding: Theme.s16
    rightPadding: Theme.s16
    implicitWidth: implicitContentWidth + leftPadding + rightPadding
    implicitHeight: Theme.controlHeight
    text: qsTr("Jump to latest")
    Keys.onReturnPressed: pill.clicked()
    Keys.onEnterPressed: pill.clicked()

    contentItem: Row {
        spacing: Theme.s8

        Icon {
            anchors.verticalCenter: parent.verticalCenter
            icon: "arrow-down"
            color: Theme.indigo
        }
        UiText {
            anchors.verticalCenter: parent.verticalCenter
            color: Theme.indigo
            text: pill.text
        }
        Rectangle {
            anchors.verticalCenter: parent.verticalCenter
            visible: pill.news
            width: Theme.dot
            height: Theme.dot
            radius: Theme.dot / 2
            color: Theme.indigo
        }
    }
    background: Surface {
        level: 2
        radius: height / 2
        fill: pill.hovered ? Theme.hover : Theme.raised

        FocusRing {
            shown: pill.visualFocus
            cornerRadius: parent.radius
        }
    }
}
